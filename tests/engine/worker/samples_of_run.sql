select level, task, filter, metric, count(*) as documents, sum(value) as total
from samples
where run_id = $run_id
group by all
order by all

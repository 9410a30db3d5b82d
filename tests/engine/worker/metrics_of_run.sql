select level, task, metric, filter, value, stderr, n
from metrics
where run_id = $run_id
order by all

-- What the per-document results of one number add up to: as they are in the database.
select
    count(*) as rows, count(value) as scored, avg(value order by doc_id) as mean, sum(value order by doc_id) as total, sum(weight order by doc_id) as weight
from samples
where run_id = $run_id and seq = $seq and level = $level and task = $task and metric = $metric and filter = $filter;

-- What the per-document results of one number add up to: as they are in the run's own file.
select
    count(*) as rows, count(value) as scored, avg(value order by doc_id) as mean, sum(value order by doc_id) as total, sum(weight order by doc_id) as weight
from read_parquet($path)
where metric = $metric and filter = $filter;

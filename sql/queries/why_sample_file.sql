-- What the per-document results of one number add up to: as they are in the run's own file.
select
    count(*) as rows, count(value) as scored, avg(value) as mean, sum(value) as total, sum(weight) as weight
from read_parquet($path)
where metric = $metric and filter = $filter;

-- What a rule can name: the study's benchmarks, and what was measured here.
select b.task, b.benchmark, o.kind
from benchmarks b
join metric_order o using (metric)
union
select task, benchmark, kind from headline_metrics where kind <> 'damage'
order by all;

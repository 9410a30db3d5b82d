-- The metrics that a benchmark can be shown by, the headline one first.
select m.metric, m.filter, count(distinct (m.run_id, m.level)) as cells, bool_or(m.stderr is not null) as with_stderr
from metrics m
join run_models r using (run_id)
left join metric_order o on o.metric = m.metric
left join benchmarks b on b.task = m.task
where m.task = $task and list_contains($model_ids, r.model_id)
group by m.metric, m.filter
order by
    bool_or(coalesce(m.metric = b.metric and m.filter = b.filter, false)) desc,
    min(o.preference) nulls last, m.metric, m.filter;

-- One row is one benchmark that improves at every pruned width of a model, as in
-- consistent_improvements; `clear` counts the widths where the gain is beyond noise, of those that were `tested`,
-- corrected over all benchmarks and widths of the model: it speaks of several widths at once.
with
deltas as (/* matrix_rows */),
widths as (
    select subject, count(distinct (intermediate_size, pruning_pct)) as widths
    from deltas
    where not unpruned
    group by subject
)
select
    d.model,
    d.method,
    d.repair,
    d.benchmark,
    d.metric,
    count(*) as levels,
    min(d.baseline) as baseline,
    min_by(d.delta_pct, (abs(d.delta_pct), d.pruning_pct)) as smallest_delta_pct,
    max_by(d.delta_pct, (abs(d.delta_pct), -d.pruning_pct)) as largest_delta_pct,
    max_by(d.pruning_pct, (abs(d.delta_pct), -d.pruning_pct)) as largest_at_pct,
    count(*) filter (d.table_verdict = 'gain') as clear,
    count(d.table_verdict) as tested,
    d.conditions,
    d.model_id,
    d.subject
from deltas d
join widths w using (subject)
where not d.unpruned
group by
    d.model, d.method, d.repair, d.benchmark, d.task, d.metric, d.filter, d.num_fewshot, d.version, d.conditions, d.model_id,
    d.subject, d.position, w.widths
having count(*) = w.widths and bool_and(coalesce(d.improved, false))
order by d.model, d.method, d.repair, d.position, d.benchmark;

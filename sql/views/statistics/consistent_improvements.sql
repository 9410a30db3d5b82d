-- One row is one benchmark that improves at every pruned width of a model (one method, given conditions): measured
-- at each of them, and better than the unpruned model each time.
-- needs: baseline_deltas
create or replace view consistent_improvements as
with
deltas as (
    from baseline_deltas where is_headline
),
widths as (
    select model_id, method, repair, conditions, count(distinct (intermediate_size, pruning_pct)) as widths
    from deltas
    group by all
)
select
    d.model,
    d.method,
    d.repair,
    d.benchmark,
    d.task,
    d.metric,
    d.num_fewshot,
    count(*) as levels,
    min(d.baseline) as baseline,
    min_by(d.delta_pct, (abs(d.delta_pct), d.pruning_pct)) as smallest_delta_pct,
    max_by(d.delta_pct, (abs(d.delta_pct), -d.pruning_pct)) as largest_delta_pct,
    max_by(d.pruning_pct, (abs(d.delta_pct), -d.pruning_pct)) as largest_at_pct,
    d.conditions,
    d.model_id,
    d.position
from deltas d
join widths w
    on w.model_id = d.model_id and w.method = d.method and w.repair = d.repair and w.conditions is not distinct from d.conditions
group by
    d.model, d.method, d.repair, d.benchmark, d.task, d.metric, d.filter, d.num_fewshot, d.version, d.conditions, d.model_id,
    d.position, w.widths
having count(*) = w.widths and bool_and(coalesce(d.improved, false));
comment on view consistent_improvements is 'One row is one benchmark that improves at every pruned width of a model.';
comment on column consistent_improvements.levels is 'Pruned widths it was measured at: all of the model''s.';
comment on column consistent_improvements.largest_at_pct is 'pruning_pct of the largest improvement.';
comment on column consistent_improvements.baseline is
    'The unpruned model''s value, in the metric''s unit: the smallest, where runs measured several.';
comment on column consistent_improvements.smallest_delta_pct is
    'The smallest of the improvements, in percent of the baseline''s magnitude.';
comment on column consistent_improvements.largest_delta_pct is
    'The largest of the improvements, in percent of the baseline''s magnitude.';

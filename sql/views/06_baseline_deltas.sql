-- One row is one metric at one pruned width, compared with the unpruned model under the same conditions, shots and
-- task version. Every metric is here; `is_headline` marks the one that stands for its benchmark. Where the
-- unpruned model was not measured, baseline and deltas are null.
create or replace view baseline_deltas as
with paired as (
    select
        c.*,
        b.value as baseline,
        b.stderr as baseline_stderr,
        b.parameters as baseline_parameters,
        b.run_id as baseline_run_id,
        b.seq as baseline_seq,
        b.level as baseline_level,
        c.value - b.value as delta
    from current_metrics c
    left join current_metrics b
        on b.unpruned
        and b.model_id = c.model_id
        and b.method = c.method
        and b.conditions is not distinct from c.conditions
        and b.task = c.task
        and b.num_fewshot is not distinct from c.num_fewshot
        and b.version is not distinct from c.version
        and b.metric = c.metric
        and b.filter = c.filter
    where not c.unpruned
)
select
    p.model,
    p.method,
    p.pruning_pct,
    p.task,
    p.metric,
    p.value,
    p.baseline,
    p.delta,
    case when p.baseline <> 0 then 100 * p.delta / abs(p.baseline) end as delta_pct,
    case when not isnan(p.delta) then (p.delta <> 0) and ((p.delta > 0) = p.higher_is_better) end as improved,
    sqrt(p.stderr * p.stderr + p.baseline_stderr * p.baseline_stderr) as stderr,
    h.run_id is not null as is_headline,
    p.benchmark,
    p.position,
    p.kind,
    p.filter,
    p.part_of,
    p.is_group,
    p.version,
    p.num_fewshot,
    p.higher_is_better,
    p.n,
    p.level,
    p.intermediate_size,
    p.expansion_ratio,
    p.parameters,
    p.baseline_parameters,
    p.conditions,
    p.origin,
    p.model_id,
    p.run_id,
    p.seq,
    p.baseline_run_id,
    p.recorded_at,
    p.baseline_seq,
    p.baseline_level,
    p.chance,
    p.baseline_stderr
from paired p
left join headline_metrics h
    on h.run_id = p.run_id
    and h.seq = p.seq
    and h.level = p.level
    and h.task = p.task
    and h.metric = p.metric
    and h.filter = p.filter
    and h.method = p.method;
comment on view baseline_deltas is
    'One row is one metric at one pruned width, compared with the unpruned model under the same conditions.';
comment on column baseline_deltas.delta is 'value - baseline.';
comment on column baseline_deltas.delta_pct is 'delta in percent of the baseline''s magnitude; null if that is zero.';
comment on column baseline_deltas.improved is
    'Whether the delta goes the way that is better for the metric; null where that is not known.';
comment on column baseline_deltas.stderr is
    'Standard error of delta, the two values taken as independent: sqrt(a^2 + b^2). `delta_statistics` has better ones.';
comment on column baseline_deltas.is_headline is 'True for the one metric that stands for its benchmark.';

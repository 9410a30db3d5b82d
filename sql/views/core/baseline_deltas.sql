-- One row is one metric at one pruned width, compared with the unpruned model under the same conditions, shots, task
-- version and questions: as the same run measured it,
-- else another of its sweep, else as it was measured last. Every metric is here; `is_headline`
-- marks the one that stands for its benchmark. Where the unpruned model was not measured, baseline and deltas are null.
-- needs: difference_stderr, marked_metrics
create or replace view baseline_deltas as
with compared as (
    select
        *,
        arg_max(
            {seq: seq, run_id: run_id, value: value, stderr: stderr, parameters: parameters, level: level, sweep: sweep},
            (recorded_at, run_id, seq)
        ) filter (unpruned) over same_thing as base,
        flatten(list(by_run) filter (unpruned) over same_thing) as base_by_run
    from marked_metrics
    window same_thing as (
        partition by model, model_id, method, repair, conditions, task, num_fewshot, version, metric, filter
    )
),
chosen as (
    select
        * replace (
            coalesce(
                list_max(list_filter(base_by_run, lambda one: one.run_id = run_id)),
                list_max(list_filter(base_by_run, lambda one: one.sweep = sweep)),
                base
            ) as base
        )
    from compared
    where not unpruned
),
paired as (
    select
        * exclude (base, by_run, base_by_run, sweep),
        base.value as baseline,
        base.stderr as baseline_stderr,
        base.parameters as baseline_parameters,
        base.run_id as baseline_run_id,
        base.seq as baseline_seq,
        base.level as baseline_level,
        value - base.value as delta
    from chosen
)
select
    model,
    method,
    pruning_pct,
    task,
    metric,
    value,
    baseline,
    delta,
    case when baseline <> 0 then 100 * delta / abs(baseline) end as delta_pct,
    case when not isnan(delta) then (delta <> 0) and ((delta > 0) = higher_is_better) end as improved,
    difference_stderr(paired.stderr, baseline_stderr) as stderr,
    repair,
    is_headline,
    benchmark,
    position,
    kind,
    filter,
    part_of,
    is_group,
    version,
    num_fewshot,
    higher_is_better,
    n,
    level,
    intermediate_size,
    expansion_ratio,
    parameters,
    baseline_parameters,
    conditions,
    origin,
    model_id,
    run_id,
    seq,
    baseline_run_id,
    recorded_at,
    baseline_seq,
    baseline_level,
    chance,
    baseline_stderr,
    paired.stderr as value_stderr,
    footnote,
    calibration,
    base_conditions
from paired;
comment on view baseline_deltas is
    'One row is one metric at one pruned width, compared with the unpruned model under the same conditions.';
comment on column baseline_deltas.stderr is
    'Standard error of delta, the two values taken as independent: sqrt(a^2 + b^2). `delta_statistics` has better ones.';
comment on column baseline_deltas.value_stderr is 'Standard error of value.';

-- One row is one benchmark at one width of the chosen models: its headline metric, its change against the unpruned
-- model and how sure that is, as delta_statistics has it. `picked` names metrics to show instead of the headline ones, as
-- task|metric|filter. What the subjects are made of is asked for, too: it reaches the tables, a subject does not.
with
measured as (
    select
        *, false as unpruned, stderr as delta_stderr,
        concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject
    from delta_statistics
    where list_contains($model_ids, model_id) and list_contains($conditions, coalesce(conditions, ''))
        and list_contains($subjects, subject)
    union all by name
    select *, stderr as value_stderr, concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject
    from marked_metrics
    where unpruned and list_contains($model_ids, model_id) and list_contains($conditions, coalesce(conditions, ''))
        and list_contains($subjects, subject)
),
shown as (
    select *, list_contains($picked, concat_ws('|', task, metric, filter)) as is_picked
    from measured
    where (is_headline or is_picked)
        and contains(lower(benchmark || ' ' || task || ' ' || metric), lower($search))
    qualify row_number() over (
        partition by subject, unpruned, intermediate_size, pruning_pct, task, num_fewshot, version
        order by is_picked desc
    ) = 1
)
select
    model,
    method,
    repair,
    pruning_pct,
    benchmark,
    metric,
    value,
    baseline,
    delta,
    delta_pct,
    improved,
    verdict,
    p_holm,
    p_table,
    table_verdict,
    factor,
    factor_low,
    factor_high,
    log_stderr,
    ci_low,
    ci_high,
    ci_low_pct,
    ci_high_pct,
    delta_stderr,
    stderr_kind,
    p_value,
    p_kind,
    pairs,
    lost,
    gained,
    agreement,
    chance,
    retained_pct,
    unpaired_because,
    -- Of the unpruned score it is the one that its changes are tested with.
    case
        when unpruned then coalesce(value_stderr, max(baseline_stderr) over (
            partition by subject, task, num_fewshot, version, metric, filter
        ))
        else value_stderr
    end as stderr,
    baseline_stderr,
    n,
    task,
    filter,
    num_fewshot,
    version,
    kind,
    higher_is_better,
    position,
    level,
    unpruned,
    intermediate_size,
    expansion_ratio,
    parameters,
    is_group,
    conditions,
    model_id,
    subject,
    run_id,
    seq,
    baseline_run_id,
    baseline_seq,
    baseline_level,
    baseline_parameters,
    footnote,
    calibration,
    base_conditions
from shown
order by
    position, benchmark, task, num_fewshot, version,
    model, method, repair <> 'none', repair, conditions, subject, not unpruned, pruning_pct, intermediate_size desc;

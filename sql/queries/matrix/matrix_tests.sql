-- One row is one benchmark of two of the chosen subjects at the same percentage, expansion ratio (to two decimals) or
-- parameters (in steps of 5 percent): which of them loses more, by a test. Two models are compared by the change in percent of each one's own
-- baseline, as size_tests does; two methods, repairs or calibrations of one model, whose baseline is the same, by their
-- scores in percent of it.
-- Methods are compared question by question where paired_methods could; difference_tests_from has the tests.
with
deltas as (/* matrix_rows */),
changes as (
    select
        *,
        basis_value($basis, pruning_pct, expansion_ratio, parameters) as basis_value,
        100 / abs(baseline) as scale,
        case
            when factor is not null then 100 * factor * log_stderr
            else pct_stderr(value, stderr, baseline, baseline_stderr, delta_stderr)
        end as delta_pct_stderr
    from deltas
    where not unpruned and isfinite(delta_pct)
    qualify $basis <> 'parameters' or row_number() over (
        partition by basis_value, subject, task, metric, filter, num_fewshot, version
        order by abs(parameters - basis_value)
    ) = 1
),
matched as (
    select
        a.basis_value,
        a.benchmark,
        a.metric,
        a.model as first_model,
        a.method as first_method,
        a.repair as first_repair,
        b.model as second_model,
        b.method as second_method,
        b.repair as second_repair,
        a.pruning_pct as first_pruning_pct,
        b.pruning_pct as second_pruning_pct,
        a.delta_pct as first_amount,
        b.delta_pct as second_amount,
        100 as unit,
        a.scale,
        a.factor as first_factor,
        b.factor as second_factor,
        -- Two methods have the baseline in common, and each its own error.
        case
            when a.factor is null or b.factor is null then null
            when a.model_id = b.model_id then sqrt((a.stderr / a.value) ** 2 + (b.stderr / b.value) ** 2)
            else sqrt(a.log_stderr ** 2 + b.log_stderr ** 2)
        end as ratio_stderr_apart,
        case
            when a.model_id = b.model_id then a.scale * sqrt(a.stderr ** 2 + b.stderr ** 2)
            else sqrt(a.delta_pct_stderr ** 2 + b.delta_pct_stderr ** 2)
        end as stderr_apart,
        p.estimator, p.paired_stderr, p.clustered_stderr,
        p.share_low, p.share_high, p.share_p,
        p.bootstrap_stderr, p.bootstrap_scale, p.bootstrap_low, p.bootstrap_high, p.bootstrap_p,
        p.pairs,
        p.lost as first_only,
        p.gained as second_only,
        p.problem as unpaired_because,
        a.higher_is_better, a.task, a.filter, a.num_fewshot, a.version, a.position, a.conditions,
        a.model_id as first_id,
        b.model_id as second_id,
        a.subject as first_subject,
        b.subject as second_subject,
        (a.basis_value, a.subject, b.subject) as table_key
    from changes a
    join changes b
        on a.basis_value = b.basis_value
        and a.task = b.task
        and a.metric = b.metric
        and a.filter = b.filter
        and a.num_fewshot is not distinct from b.num_fewshot
        and a.version is not distinct from b.version
        and a.base_conditions is not distinct from b.base_conditions
        and (
            a.model_id = b.model_id
            or (a.method = b.method and a.repair = b.repair and a.conditions is not distinct from b.conditions)
        )
        and (a.baseline_parameters, a.model, a.model_id, a.method, a.repair <> 'none', a.repair, coalesce(a.conditions, ''))
            < (b.baseline_parameters, b.model, b.model_id, b.method, b.repair <> 'none', b.repair, coalesce(b.conditions, ''))
    left join paired_methods p
        on p.run_id = b.run_id and p.seq = b.seq and p.level = b.level
        and p.baseline_run_id = a.run_id and p.baseline_seq = a.seq and p.baseline_level = a.level
        and p.task = a.task and p.metric = a.metric and p.filter = a.filter
)
select
    basis_value,
    benchmark,
    metric,
    first_model,
    first_method,
    first_repair,
    second_model,
    second_method,
    second_repair,
    first_pruning_pct,
    second_pruning_pct,
    first_amount as first_change_pct,
    second_amount as second_change_pct,
    difference,
    stderr,
    ci_low,
    ci_high,
    p_value,
    p_kind,
    p_holm,
    case better_off when 'first' then 'second' when 'second' then 'first' else better_off end as loses_more,
    pairs,
    first_only,
    second_only,
    unpaired_because,
    higher_is_better,
    task,
    filter,
    num_fewshot,
    version,
    position,
    conditions,
    first_id,
    second_id,
    first_subject,
    second_subject
from difference_tests_from('matched')
order by basis_value, first_subject, second_subject, position, benchmark, task, num_fewshot, version;

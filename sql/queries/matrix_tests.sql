-- One row is one benchmark of two of the chosen subjects at the same percentage, or the same expansion ratio (to two
-- decimals): which of them loses more, by a test. Two models are compared by the change in percent of each one's own
-- baseline, as size_tests does; two methods of one model, whose baseline is the same, by their scores in percent of it.
-- z on the difference, the two scores' errors taken as independent; Holm's correction over the benchmarks of one table.
with
deltas as (/* matrix_rows */),
changes as (
    select
        *,
        case when $basis = 'percentage' then pruning_pct else round(expansion_ratio, 2) end as basis_value,
        100 / abs(baseline) as scale,
        value / baseline as ratio,
        -- From the variance of the difference, so that pairing is not lost.
        (stderr ** 2 + baseline_stderr ** 2 - delta_stderr ** 2) / 2 as covariance,
        scale ** 2 * abs(stderr ** 2 - 2 * ratio * covariance + ratio ** 2 * baseline_stderr ** 2) as delta_pct_variance
    from deltas
    where not unpruned and isfinite(delta_pct)
),
pairs as (
    select
        a.basis_value,
        a.benchmark,
        a.metric,
        a.model as first_model,
        a.method as first_method,
        b.model as second_model,
        b.method as second_method,
        a.pruning_pct as first_pruning_pct,
        b.pruning_pct as second_pruning_pct,
        a.delta_pct as first_change_pct,
        b.delta_pct as second_change_pct,
        b.delta_pct - a.delta_pct as difference,
        case
            when a.model_id = b.model_id then a.scale * sqrt(a.stderr ** 2 + b.stderr ** 2)
            else sqrt(a.delta_pct_variance + b.delta_pct_variance)
        end as stderr,
        a.higher_is_better, a.task, a.filter, a.num_fewshot, a.version, a.position, a.conditions,
        a.model_id as first_id,
        b.model_id as second_id,
        a.subject as first_subject,
        b.subject as second_subject
    from changes a
    join changes b
        on a.basis_value = b.basis_value
        and a.task = b.task
        and a.metric = b.metric
        and a.filter = b.filter
        and a.num_fewshot is not distinct from b.num_fewshot
        and a.version is not distinct from b.version
        and a.conditions is not distinct from b.conditions
        and (a.method = b.method or a.model_id = b.model_id)
        and (a.baseline_parameters, a.model, a.model_id, a.method)
            < (b.baseline_parameters, b.model, b.model_id, b.method)
),
tested as (
    select *, case when stderr > 0 then normal_p(difference / stderr) end as p_value from pairs
),
ranked as (
    select
        *,
        case when p_value is not null then
            least(1, p_value * (1 + count(*) over tables - row_number() over (tables order by p_value, position, task)))
        end as p_stepped
    from tested
    window tables as (partition by basis_value, first_subject, second_subject, p_value is not null)
),
corrected as (
    select
        *,
        case when p_value is not null then
            max(p_stepped) over (
                partition by basis_value, first_subject, second_subject, p_value is not null
                order by p_value, position, task
                rows between unbounded preceding and current row
            )
        end as p_holm
    from ranked
)
select
    basis_value,
    benchmark,
    metric,
    first_model,
    first_method,
    second_model,
    second_method,
    first_pruning_pct,
    second_pruning_pct,
    first_change_pct,
    second_change_pct,
    difference,
    stderr,
    difference - 1.959963984540054 * stderr as ci_low,
    difference + 1.959963984540054 * stderr as ci_high,
    p_value,
    p_holm,
    case
        when p_holm is null or higher_is_better is null then null
        when p_holm > 0.05 then 'noise'
        when (difference > 0) = higher_is_better then 'first'
        else 'second'
    end as loses_more,
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
from corrected
order by basis_value, first_subject, second_subject, position, benchmark, task, num_fewshot, version;

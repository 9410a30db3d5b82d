-- One row is one benchmark of two of the chosen subjects at the same percentage, or the same expansion ratio (to two
-- decimals): which of them loses more, by a test. Two models are compared by the change in percent of each one's own
-- baseline, as size_tests does; two methods of one model, whose baseline is the same, by their scores in percent of it.
-- Methods are compared question by question where paired_methods could; all else by z on the difference, the two errors
-- taken as independent. `p_kind` says which. Holm's correction over the benchmarks of one table.
with
deltas as (/* matrix_rows */),
changes as (
    select
        *,
        case when $basis = 'percentage' then pruning_pct else round(expansion_ratio, 2) end as basis_value,
        100 / abs(baseline) as scale,
        pct_stderr(value, stderr, baseline, baseline_stderr, delta_stderr) as delta_pct_stderr
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
            when p.clustered_stderr is not null then 'z, clustered'
            when p.paired_stderr is not null and p.mcnemar_p is not null then 'McNemar, exact'
            when p.paired_stderr is not null then 'z, paired'
            when p.bootstrap_stderr is not null then 'bootstrap'
            else 'z, independent'
        end as test,
        case
            when test = 'bootstrap' then a.scale * p.bootstrap_stderr
            when test <> 'z, independent' then a.scale * greatest(p.clustered_stderr, p.paired_stderr)
            when a.model_id = b.model_id then a.scale * sqrt(a.stderr ** 2 + b.stderr ** 2)
            else sqrt(a.delta_pct_stderr ** 2 + b.delta_pct_stderr ** 2)
        end as stderr,
        a.scale * p.bootstrap_low as bootstrap_low,
        a.scale * p.bootstrap_high as bootstrap_high,
        p.bootstrap_p,
        p.mcnemar_p,
        p.pairs,
        p.lost as first_only,
        p.gained as second_only,
        p.problem as unpaired_because,
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
    left join paired_methods p
        on p.run_id = b.run_id and p.seq = b.seq and p.level = b.level
        and p.baseline_run_id = a.run_id and p.baseline_seq = a.seq and p.baseline_level = a.level
        and p.task = a.task and p.metric = a.metric and p.filter = a.filter
),
tested as (
    select
        *,
        case
            when test = 'McNemar, exact' then mcnemar_p
            when test = 'bootstrap' then bootstrap_p
            when stderr > 0 then normal_p(difference / stderr)
            when stderr = 0 and difference = 0 and test <> 'z, independent' then 1
        end as p_value
    from pairs
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
    case when test = 'bootstrap' then bootstrap_low else difference - z95() * stderr end as ci_low,
    case when test = 'bootstrap' then bootstrap_high else difference + z95() * stderr end as ci_high,
    p_value,
    case when p_value is not null then test end as p_kind,
    p_holm,
    case
        when p_holm is null or higher_is_better is null then null
        when p_holm > 0.05 then 'noise'
        when (difference > 0) = higher_is_better then 'first'
        else 'second'
    end as loses_more,
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
from corrected
order by basis_value, first_subject, second_subject, position, benchmark, task, num_fewshot, version;

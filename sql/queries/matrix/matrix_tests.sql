-- One row is one benchmark of two of the chosen subjects at the same percentage, or the same expansion ratio (to two
-- decimals): which of them loses more, by a test. Two models are compared by the change in percent of each one's own
-- baseline, as size_tests does; two methods of one model, whose baseline is the same, by their scores in percent of it.
-- Methods are compared question by question where paired_methods could; all else by z on the difference, the two errors
-- taken as independent; perplexities on the logarithm of their ratio. `p_kind` says which. Holm's correction over the benchmarks of one table.
with
deltas as (/* matrix_rows */),
changes as (
    select
        *,
        case when $basis = 'percentage' then pruning_pct else round(expansion_ratio, 2) end as basis_value,
        100 / abs(baseline) as scale,
        case
            when factor is not null then 100 * factor * log_stderr
            else pct_stderr(value, stderr, baseline, baseline_stderr, delta_stderr)
        end as delta_pct_stderr
    from deltas
    where not unpruned and isfinite(delta_pct)
),
-- A step for each thing that others are made of: a name used in its own select is written out wherever it stands.
matched as (
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
            when p.clustered_stderr is not null then
                case when p.share_low is not null and p.estimator = 'mean by size' then 'score, clustered'
                else 'z, clustered' end
            when p.paired_stderr is not null then
                case when p.share_low is not null then 'score, paired' else 'z, paired' end
            when p.bootstrap_stderr is not null then 'bootstrap'
            else 'z, independent'
        end as test,
        a.scale,
        a.factor as first_factor,
        b.factor as second_factor,
        greatest(p.clustered_stderr, p.paired_stderr) as mean_stderr,
        -- Of two perplexities; two methods' have the baseline in common, and each its own error.
        ln(b.factor / a.factor) as log_ratio,
        case
            when a.factor is null or b.factor is null then null
            when a.model_id = b.model_id then sqrt((a.stderr / a.value) ** 2 + (b.stderr / b.value) ** 2)
            else sqrt(a.log_stderr ** 2 + b.log_stderr ** 2)
        end as ratio_stderr_apart,
        case
            when a.model_id = b.model_id then a.scale * sqrt(a.stderr ** 2 + b.stderr ** 2)
            else sqrt(a.delta_pct_stderr ** 2 + b.delta_pct_stderr ** 2)
        end as stderr_apart,
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
with_ratio as (
    select
        *,
        case
            when log_ratio is null then null
            when test = 'bootstrap' and bootstrap_scale = 'ln' then bootstrap_stderr
            else ratio_stderr_apart
        end as ratio_stderr
    from matched
),
with_stderr as (
    select
        *,
        case
            when log_ratio is not null then 100 * second_factor * ratio_stderr
            when test = 'bootstrap' then scale * bootstrap_stderr
            when test in ('score, paired', 'score, clustered') and mean_stderr = 0
                then scale * (share_high - share_low) / (2 * z95())
            when test <> 'z, independent' then scale * mean_stderr
            else stderr_apart
        end as apart_stderr
    from with_ratio
),
with_z as (
    select
        *,
        case
            when log_ratio is not null then case when ratio_stderr > 0 then log_ratio / ratio_stderr end
            when test = 'score, clustered' then case when mean_stderr > 0 then difference / (scale * mean_stderr) end
            when apart_stderr > 0 then difference / apart_stderr
        end as z
    from with_stderr
),
pairs as (
    select
        *,
        case
            when log_ratio is not null and test = 'bootstrap' then 100 * first_factor * (exp(bootstrap_low) - 1)
            when log_ratio is not null then 100 * first_factor * (exp(log_ratio - z95() * ratio_stderr) - 1)
            when test = 'bootstrap' then scale * bootstrap_low
            when test = 'score, paired' then scale * share_low
            when test = 'score, clustered' then
                least(scale * share_low, difference - z95() * scale * mean_stderr)
            else difference - z95() * apart_stderr
        end as ci_low,
        case
            when log_ratio is not null and test = 'bootstrap' then 100 * first_factor * (exp(bootstrap_high) - 1)
            when log_ratio is not null then 100 * first_factor * (exp(log_ratio + z95() * ratio_stderr) - 1)
            when test = 'bootstrap' then scale * bootstrap_high
            when test = 'score, paired' then scale * share_high
            when test = 'score, clustered' then
                greatest(scale * share_high, difference + z95() * scale * mean_stderr)
            else difference + z95() * apart_stderr
        end as ci_high,
        case
            when test = 'bootstrap' then bootstrap_p
            when test = 'score, paired' then share_p
            when log_ratio is not null then p_of_z
            when test = 'score, clustered' then greatest(share_p, case
                when mean_stderr > 0 then p_of_z when difference = 0 then 1 else 0
            end)
            when apart_stderr > 0 then p_of_z
            when apart_stderr = 0 and difference = 0 and test <> 'z, independent' then 1
        end as p_value
    from (select *, normal_p(z) as p_of_z from with_z)
),
ranked as (
    select
        *,
        case when p_value is not null then
            least(1, p_value * (1 + count(*) over tables - row_number() over (tables order by p_value, position, task)))
        end as p_stepped
    from pairs
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
    apart_stderr as stderr,
    ci_low,
    ci_high,
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

-- One row is one metric of two subjects (a model with a method and a repair under conditions) at the same basis_value, as
-- difference_tests_from takes it: rows of a relation by its name, of pruned widths with their changes. Two models are
-- compared by the change in percent of each one's own baseline; two methods, repairs or calibrations of one model, whose
-- baseline is the same, by their scores in percent of it, document by document where paired_methods could. Damage is a
-- change itself, zero of the unpruned model: it is compared by its own value, of one model's methods alone, since two
-- models have other texts and tokens.
-- needs: pct_stderr
create or replace macro subject_pairs_from(rows_name, across_models) as table
with
measured as (
    select *, case when kind = 'damage' then 'value' else 'percent' end as measure
    from query_table(rows_name)
),
amounts as (
    select
        *,
        case measure when 'value' then value else delta_pct end as amount,
        case measure when 'value' then 1 else 100 / abs(baseline) end as scale,
        case
            when factor is not null then 100 * factor * log_stderr
            else pct_stderr(value, stderr, baseline, baseline_stderr, delta_stderr)
        end as delta_pct_stderr
    from measured
    where isfinite(amount)
)
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
    a.measure,
    a.amount as first_amount,
    b.amount as second_amount,
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
    a.conditions as first_conditions, b.conditions as second_conditions,
    a.model_id as first_id,
    b.model_id as second_id,
    a.subject as first_subject,
    b.subject as second_subject,
    -- Of damage every pair of methods is one comparison more; of scores it is every benchmark of the pair.
    case
        when a.measure = 'value' then (a.basis_value, a.model_id, a.metric)
        else (a.basis_value, a.subject, b.subject)
    end as table_key
from amounts a
join amounts b
    on a.basis_value = b.basis_value
    and a.task = b.task
    and a.metric = b.metric
    and a.filter = b.filter
    and a.num_fewshot is not distinct from b.num_fewshot
    and a.version is not distinct from b.version
    and a.base_conditions is not distinct from b.base_conditions
    and (
        a.model_id = b.model_id
        or (
            across_models and a.measure = 'percent'
            and a.method = b.method and a.repair = b.repair and a.conditions is not distinct from b.conditions
        )
    )
    and (a.baseline_parameters, a.model, a.model_id, a.method, a.repair <> 'none', a.repair, coalesce(a.conditions, ''))
        < (b.baseline_parameters, b.model, b.model_id, b.method, b.repair <> 'none', b.repair, coalesce(b.conditions, ''))
left join paired_methods p
    on p.run_id = b.run_id and p.seq = b.seq and p.level = b.level
    and p.baseline_run_id = a.run_id and p.baseline_seq = a.seq and p.baseline_level = a.level
    and p.task = a.task and p.metric = a.metric and p.filter = a.filter;
comment on macro table subject_pairs_from is
    'Two models, or two methods of one, side by side at matching widths, for the rows of a relation by its name.';

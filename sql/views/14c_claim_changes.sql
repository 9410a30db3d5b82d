-- One row is one headline metric's change at one pruned width, as in delta_statistics, the errors of `claim_points` put
-- in where it has none. Verdicts are after Holm's correction over the benchmarks of the same width.
create or replace view claim_changes as
with
paired as (
    select
        d.model_id, d.model, d.method, d.conditions, d.task, d.num_fewshot, d.version, d.metric, d.filter, d.benchmark,
        d.position, d.kind, d.higher_is_better, d.pruning_pct, d.intermediate_size, d.parameters, d.baseline_parameters,
        d.value, d.baseline, d.delta, d.delta_pct, d.improved, d.chance, d.retained_pct, d.stderr_kind, d.p_value,
        d.ci_low, d.ci_high,
        v.stderr as value_stderr,
        b.stderr as baseline_stderr,
        coalesce(d.stderr, sqrt(v.stderr ** 2 + b.stderr ** 2)) as any_stderr
    from delta_statistics d
    join claim_points v
        on v.run_id = d.run_id and v.seq = d.seq and v.level = d.level and v.task = d.task and v.metric = d.metric
        and v.filter = d.filter and v.method = d.method and not v.unpruned
    left join claim_points b
        on b.unpruned and b.model_id = d.model_id and b.method = d.method
        and b.conditions is not distinct from d.conditions and b.task = d.task and b.metric = d.metric
        and b.filter = d.filter and b.num_fewshot is not distinct from d.num_fewshot
        and b.version is not distinct from d.version
    where d.is_headline and isfinite(d.baseline) and d.baseline <> 0 and d.improved is not null
),
filled as (
    select
        model_id, model, method, conditions, task, num_fewshot, version, metric, filter, benchmark, position, kind,
        higher_is_better, pruning_pct, intermediate_size, parameters, baseline_parameters, value, baseline,
        baseline_stderr, delta, delta_pct, improved, chance, retained_pct,
        any_stderr as stderr,
        coalesce(stderr_kind, case when any_stderr is not null then 'binomial' end) as stderr_kind,
        coalesce(p_value, normal_p(delta / nullif(any_stderr, 0))) as p_value,
        coalesce(ci_low, delta - 1.959963984540054 * any_stderr) as ci_low,
        coalesce(ci_high, delta + 1.959963984540054 * any_stderr) as ci_high,
        -- Of the percentage, by the delta method; from the variance of the difference, so that pairing is not lost.
        100 / abs(baseline) * sqrt(abs(
            value_stderr ** 2 + (value / baseline * baseline_stderr) ** 2
            - value / baseline * (value_stderr ** 2 + baseline_stderr ** 2 - any_stderr ** 2)
        )) as pct_stderr,
        case when retained_pct is not null then
            100 / (baseline - chance) * sqrt(abs(
                value_stderr ** 2 + (retained_pct / 100 * baseline_stderr) ** 2
                - retained_pct / 100 * (value_stderr ** 2 + baseline_stderr ** 2 - any_stderr ** 2)
            ))
        end as retained_stderr
    from paired
),
ranked as (
    select
        *,
        case when p_value is not null then
            least(1, p_value * (1 + count(*) over width - row_number() over (width order by p_value, position, task)))
        end as p_stepped
    from filled
    window width as (
        partition by model_id, method, conditions, pruning_pct, intermediate_size, p_value is not null
    )
),
corrected as (
    select
        *,
        case when p_stepped is not null then
            max(p_stepped) over (
                partition by model_id, method, conditions, pruning_pct, intermediate_size, p_stepped is not null
                order by p_value, position, task
                rows between unbounded preceding and current row
            )
        end as p_holm
    from ranked
)
select
    * exclude (p_stepped),
    delta * case when higher_is_better then 1 else -1 end as gain,
    case
        when p_holm is null then null
        when p_holm > 0.05 then 'noise'
        when improved then 'gain'
        else 'loss'
    end as verdict
from corrected;
comment on view claim_changes is
    'One row is one headline metric''s change at one pruned width, with an error where one can be given.';
comment on column claim_changes.stderr_kind is
    'As in delta_statistics; binomial where no error was recorded; null if none can be given.';
comment on column claim_changes.pct_stderr is 'Standard error of delta_pct.';
comment on column claim_changes.retained_stderr is 'Standard error of retained_pct.';
comment on column claim_changes.gain is 'delta, positive where it is better.';
comment on column claim_changes.verdict is
    'gain or loss where p_holm is at most 0.05, else noise; null without an error.';

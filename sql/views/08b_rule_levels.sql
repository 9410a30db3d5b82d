-- One row is one pruned width of a model under one rule: its score, and what keeps it from being called best. A
-- benchmark that the rule names must be measured, and its measure must be defined (points of a perplexity are not; from
-- chance needs a chance level that the unpruned model is clear of). Of a group (*, scores, perplexities) the benchmarks
-- with a measure count, and a width measured on fewer of them than another cannot win by what it left out.
create or replace view rule_levels as
with
rule as materialized (
    from current_rules
),
levels as materialized (
    from level_scores
),
changes as (
    select
        model_id, method, conditions, pruning_pct, intermediate_size, task, num_fewshot, version, benchmark,
        position, kind,
        case kind when 'perplexity' then 'perplexities' else 'scores' end as benchmark_group,
        value,
        value / nullif(baseline, 0) as growth,
        case
            when isnan(value) then 0
            when higher_is_better = false then 100 * baseline / nullif(value, 0)
            else 100 * value / nullif(baseline, 0)
        end as share,
        case when isnan(value) and retained_pct is not null then 0 else retained_pct end as from_chance,
        case
            when kind = 'perplexity' then null
            when isnan(value) then -100 * abs(baseline)
            else 100 * delta * case when higher_is_better = false then -1 else 1 end
        end as points,
        100 * stderr as points_stderr,
        -- From the variance of the difference, so that pairing is not lost.
        unpaired_stderr ** 2 - baseline_stderr ** 2 as value_variance,
        baseline_stderr,
        (unpaired_stderr ** 2 - stderr ** 2) / 2 as covariance,
        baseline,
        chance
    from delta_statistics
    where is_headline and not isnan(baseline)
),
measured as materialized (
    select
        *,
        abs(share) * sqrt(abs(
            value_variance / nullif(value, 0) ** 2 + (baseline_stderr / nullif(baseline, 0)) ** 2
            - 2 * covariance / nullif(value * baseline, 0)
        )) as share_stderr,
        100 / (baseline - chance) * sqrt(abs(
            value_variance - 2 * from_chance / 100 * covariance + (from_chance / 100 * baseline_stderr) ** 2
        )) as from_chance_stderr
    from changes
),
weights as (
    select rule, prefer, measure, unnest(weights, recursive := true) from rule
),
-- A benchmark by its own name before its group before all.
weighed as (
    select
        w.rule, m.model_id, m.method, m.conditions, m.pruning_pct, m.intermediate_size, w.weight, m.position,
        m.benchmark,
        case w.measure when 'share' then m.share when 'points' then m.points else m.from_chance end as amount,
        case w.measure
            when 'share' then m.share_stderr when 'points' then m.points_stderr else m.from_chance_stderr
        end as amount_stderr
    from weights w
    join measured m
        on lower(w.benchmark) in (lower(m.task), lower(m.benchmark)) or w.benchmark in (m.benchmark_group, '*')
    qualify row_number() over (
        partition by
            w.rule, m.model_id, m.method, m.conditions, m.pruning_pct, m.intermediate_size, m.task, m.num_fewshot,
            m.version
        order by w.benchmark = '*', w.benchmark = m.benchmark_group
    ) = 1
),
scores as (
    select
        rule, model_id, method, conditions, pruning_pct, intermediate_size,
        sum(weight * amount) / nullif(sum(weight) filter (amount is not null), 0) as score,
        case when count(amount_stderr) = count(amount) then
            sqrt(sum((weight * amount_stderr) ** 2)) / nullif(sum(weight), 0)
        end as score_stderr,
        count(amount) as counted
    from weighed
    where weight > 0 and (amount is null or not isnan(amount))
    group by all
),
floors as (
    select rule, unnest(floors, recursive := true) from rule
),
held as (
    select
        f.rule, m.model_id, m.method, m.conditions, m.pruning_pct, m.intermediate_size, f.benchmark as floor_of,
        f.measure, f.at_least, f.at_most, m.benchmark, m.position,
        case f.measure
            when 'share' then m.share when 'from chance' then m.from_chance when 'value' then m.value else m.growth
        end as amount
    from floors f
    join measured m
        on lower(f.benchmark) in (lower(m.task), lower(m.benchmark)) or f.benchmark in (m.benchmark_group, '*')
),
broken as (
    select
        rule, model_id, method, conditions, pruning_pct, intermediate_size,
        string_agg(
            case measure
                when 'share' then format('{} keeps {:.1f} % of its score', benchmark, amount)
                when 'from chance' then format('{} keeps {:.1f} % from chance', benchmark, amount)
                when 'growth' then format('{} is ×{:.2f}', benchmark, amount)
                else format('{} is {:.4g}', benchmark, amount)
            end
            || case
                when amount < at_least or isnan(amount) and at_least is not null
                    then format(' (at least {:g})', at_least)
                else format(' (at most {:g})', at_most)
            end,
            '; ' order by position, benchmark
        ) as broken_floors
    from held
    where amount is not null and (isnan(amount) or amount < at_least or amount > at_most)
    group by all
),
-- What a rule names, and what the level has of it.
named as (
    select rule, benchmark, measure from weights where weight > 0 and benchmark not in ('*', 'scores', 'perplexities')
    union
    select rule, benchmark, measure from floors where benchmark not in ('*', 'scores', 'perplexities')
),
lacking as (
    select
        n.rule, l.model_id, l.method, l.conditions, l.pruning_pct, l.intermediate_size,
        string_agg(
            coalesce(b.benchmark, n.benchmark)
            || case
                when m.task is null then ' was not measured'
                when n.measure = 'points' then ' is a perplexity, which has no points'
                when n.measure = 'from chance' and m.chance is null then ' has no known chance level'
                when n.measure = 'from chance' then ' is not clear of chance unpruned'
                else ' is zero unpruned'
            end,
            '; ' order by b.position, n.benchmark
        ) as missing
    from named n
    cross join levels l
    left join benchmarks b on lower(n.benchmark) in (lower(b.task), lower(b.benchmark))
    left join measured m
        on lower(n.benchmark) in (lower(m.task), lower(m.benchmark))
        and m.model_id = l.model_id and m.method = l.method and m.conditions is not distinct from l.conditions
        and m.pruning_pct = l.pruning_pct and m.intermediate_size is not distinct from l.intermediate_size
    where m.task is null
        or case n.measure
            when 'share' then m.share when 'points' then m.points when 'from chance' then m.from_chance
            when 'growth' then m.growth else m.value
        end is null
    group by n.rule, l.model_id, l.method, l.conditions, l.pruning_pct, l.intermediate_size
),
-- How many benchmarks each floor over a group was held against.
tried as (
    select
        f.rule, f.benchmark, f.measure, l.model_id, l.method, l.conditions, l.pruning_pct, l.intermediate_size,
        count(h.amount) as counted,
        max(count(h.amount)) over (
            partition by f.rule, f.benchmark, f.measure, l.model_id, l.method, l.conditions
        ) as most
    from floors f
    cross join levels l
    left join held h
        on h.rule = f.rule and h.floor_of = f.benchmark and h.measure = f.measure
        and h.model_id = l.model_id and h.method = l.method and h.conditions is not distinct from l.conditions
        and h.pruning_pct = l.pruning_pct and h.intermediate_size is not distinct from l.intermediate_size
    where f.benchmark in ('*', 'scores', 'perplexities')
    group by
        f.rule, f.benchmark, f.measure, l.model_id, l.method, l.conditions, l.pruning_pct, l.intermediate_size
),
untried as (
    select
        rule, model_id, method, conditions, pruning_pct, intermediate_size,
        string_agg(
            case counted
                when 0 then format('nothing to hold the floor of {} against', names.name)
                else format('{} of {} {} measured', counted, most, names.name)
            end,
            '; ' order by tried.benchmark, measure
        ) as missing
    from tried
    join (values ('*', 'benchmarks'), ('scores', 'scores'), ('perplexities', 'perplexities')) as names (benchmark, name)
        on names.benchmark = tried.benchmark
    where counted = 0 or counted < most
    group by rule, model_id, method, conditions, pruning_pct, intermediate_size
),
joined as (
    select
        r.rule, r.prefer, r.measure, r.in_use, l.*, s.score, s.score_stderr,
        coalesce(s.counted, 0) as counted,
        max(coalesce(s.counted, 0)) over (
            partition by r.rule, l.model_id, l.method, l.conditions
        ) as most_counted,
        (select count(*) from weights w where w.rule = r.rule and w.weight > 0) > 0 as weighs,
        b.broken_floors,
        k.missing as lacking,
        u.missing as untried
    from rule r
    cross join levels l
    left join scores s
        on s.rule = r.rule and s.model_id = l.model_id and s.method = l.method
        and s.conditions is not distinct from l.conditions and s.pruning_pct = l.pruning_pct
        and s.intermediate_size is not distinct from l.intermediate_size
    left join broken b
        on b.rule = r.rule and b.model_id = l.model_id and b.method = l.method
        and b.conditions is not distinct from l.conditions and b.pruning_pct = l.pruning_pct
        and b.intermediate_size is not distinct from l.intermediate_size
    left join untried u
        on u.rule = r.rule and u.model_id = l.model_id and u.method = l.method
        and u.conditions is not distinct from l.conditions and u.pruning_pct = l.pruning_pct
        and u.intermediate_size is not distinct from l.intermediate_size
    left join lacking k
        on k.rule = r.rule and k.model_id = l.model_id and k.method = l.method
        and k.conditions is not distinct from l.conditions and k.pruning_pct = l.pruning_pct
        and k.intermediate_size is not distinct from l.intermediate_size
)
select
    rule,
    model,
    method,
    pruning_pct,
    score,
    score_stderr,
    case measure when 'points' then 'points' else '%' end as unit,
    broken_floors,
    case
        when lacking is not null then lacking
        when untried is not null then untried
        when weighs and counted < most_counted then
            format('{} of {} benchmarks measured', counted, most_counted)
        when weighs and score is null then 'none of its benchmarks can be weighed'
    end as missing,
    broken_floors is null and missing is null as eligible,
    counted,
    prefer,
    measure,
    in_use,
    * exclude (
        rule, model, method, pruning_pct, score, score_stderr, broken_floors, lacking, untried, counted, most_counted,
        weighs, prefer, measure, in_use
    )
from joined;
comment on view rule_levels is
    'One row is one pruned width of a model under one rule: its score, and what rules it out.';
comment on column rule_levels.score is 'Weighted mean over benchmarks of what the rule measures, in the unit given.';
comment on column rule_levels.score_stderr is
    'Its standard error, benchmarks taken as independent; null if one is unknown.';
comment on column rule_levels.broken_floors is 'The floors that the level does not hold; null if it holds them all.';
comment on column rule_levels.missing is 'What the rule needs and the level has no measurement of; null if nothing.';
comment on column rule_levels.eligible is 'Whether the rule may call it best.';
comment on column rule_levels.counted is 'Benchmarks in the score.';

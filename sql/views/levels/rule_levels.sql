-- One row is one pruned width of a model under one rule: its score, and what keeps it from being called best. A
-- benchmark that the rule names must be measured, and its measure must be defined (points of a perplexity are not; from
-- chance needs a chance level that the unpruned model is clear of). Of a group (*, scores, perplexities) the benchmarks
-- with a measure count, and a width measured on fewer of them than another cannot win by what it left out. A weight is a
-- benchmark's: measured with several numbers of shots (or versions of its task), their mean has it; a floor holds for each.
-- needs: benchmarks, can_be_shared, current_rules, delta_statistics, measured_as
create or replace view rule_levels as
with
-- What a rule names, with the names of tables.
named as (
    select
        n.rule,
        list(
            {label: coalesce(b.benchmark, n.benchmark), name: lower(n.benchmark), measure: n.measure}
            order by b.position, n.benchmark
        ) as needs
    from (
        select rule, w.benchmark, measure
        from (select rule, measure, unnest(weights) as w from current_rules) where w.weight > 0
        union
        select rule, f.benchmark, f.measure from (select rule, unnest(floors) as f from current_rules)
    ) n
    left join benchmarks b on lower(n.benchmark) in (lower(b.task), lower(b.benchmark))
    where n.benchmark not in ('*', 'scores', 'perplexities')
    group by n.rule
),
rule as materialized (
    select
        r.rule, r.in_use, r.prefer, r.measure, r.weights, r.floors, n.needs,
        len(list_filter(r.weights, lambda w: w.weight > 0)) > 0 as weighs,
        list_filter(r.floors, lambda f: f.benchmark in ('*', 'scores', 'perplexities')) as group_floors
    from current_rules r
    left join named n on n.rule = r.rule
),
changes as (
    select
        model_id, model, method, repair, conditions, pruning_pct, intermediate_size, expansion_ratio, parameters,
        baseline_parameters, task, benchmark, position, kind,
        measured_as(
            benchmark, num_fewshot, count(distinct coalesce(num_fewshot, -2)) over of_benchmark > 1,
            version, count(distinct coalesce(version, '')) over of_benchmark > 1
        ) as name,
        case kind when 'perplexity' then 'perplexities' else 'scores' end as benchmark_group,
        improved,
        value,
        can_be_shared(baseline, baseline_stderr) as has_share,
        case when has_share then value / baseline end as growth,
        case
            when not has_share then null
            when isnan(value) then 0
            when higher_is_better = false then 100 * baseline / nullif(value, 0)
            else 100 * value / baseline
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
        (unpaired_stderr ** 2 - stderr ** 2) / 2 as covariance,
        baseline_stderr,
        log_stderr,
        baseline,
        chance,
        num_fewshot,
        version
    from delta_statistics
    where is_headline and kind <> 'damage' and not isnan(baseline)
    window of_benchmark as (partition by model_id, method, repair, conditions, pruning_pct, intermediate_size, task)
),
measured as (
    select
        *,
        abs(share) * coalesce(log_stderr, sqrt(abs(
            value_variance / nullif(value, 0) ** 2 + (baseline_stderr / nullif(baseline, 0)) ** 2
            - 2 * covariance / nullif(value * baseline, 0)
        ))) as share_stderr,
        100 / (baseline - chance) * sqrt(abs(
            value_variance - 2 * from_chance / 100 * covariance + (from_chance / 100 * baseline_stderr) ** 2
        )) as from_chance_stderr
    from changes
),
-- A benchmark by its own name before its group before all.
weighed as (
    select
        r.rule, r.in_use, r.prefer, r.measure, r.weighs, r.needs, r.group_floors, m.*,
        coalesce(
            list_filter(r.weights, lambda w: lower(w.benchmark) in (lower(m.task), lower(m.benchmark)))[1].weight,
            list_filter(r.weights, lambda w: w.benchmark = m.benchmark_group)[1].weight,
            list_filter(r.weights, lambda w: w.benchmark = '*')[1].weight,
            0
        ) as weight,
        case r.measure when 'share' then share when 'points' then points else from_chance end as amount,
        case r.measure
            when 'share' then share_stderr when 'points' then points_stderr else from_chance_stderr
        end as amount_stderr,
        list_transform(
            list_filter(
                r.floors,
                lambda f: lower(f.benchmark) in (lower(m.task), lower(m.benchmark))
                    or f.benchmark in (m.benchmark_group, '*')
            ),
            lambda f: {
                benchmark: f.benchmark, measure: f.measure, at_least: f.at_least, at_most: f.at_most,
                amount: case f.measure
                    when 'share' then share when 'from chance' then from_chance when 'value' then value else growth
                end
            }
        ) as held
    from rule r
    cross join measured m
),
judged as (
    select
        *,
        weight > 0 and amount is not null and not isnan(amount) as counts,
        array_to_string(
            list_transform(
                list_filter(
                    held,
                    lambda h: h.amount is not null and (isnan(h.amount) or h.amount < h.at_least or h.amount > h.at_most)
                ),
                lambda h: case h.measure
                    when 'share' then format('{} keeps {:.1f} % of its score', name, h.amount)
                    when 'from chance' then format('{} keeps {:.1f} % from chance', name, h.amount)
                    when 'growth' then format('{} is ×{:.2f}', name, h.amount)
                    else format('{} is {:.4g}', name, h.amount)
                end || case
                    when h.at_least is not null and (isnan(h.amount) or h.amount < h.at_least)
                        then format(' (at least {:g})', h.at_least)
                    else format(' (at most {:g})', h.at_most)
                end
            ),
            '; '
        ) as broken
    from weighed
),
-- The error of a mean over shots is the mean of their errors, an upper bound: they have the questions in common.
by_benchmark as (
    select
        rule, model_id, method, repair, conditions, pruning_pct, intermediate_size, task,
        any_value(in_use) as in_use,
        any_value(prefer) as prefer,
        any_value(measure) as measure,
        any_value(weighs) as weighs,
        any_value(needs) as needs,
        any_value(group_floors) as group_floors,
        any_value(model) as model,
        any_value(expansion_ratio) as expansion_ratio,
        any_value(parameters) as parameters,
        any_value(baseline_parameters) as baseline_parameters,
        any_value(benchmark) as benchmark,
        any_value(position) as position,
        any_value(weight) as weight,
        avg(share order by num_fewshot, version) as share,
        bool_and(coalesce(improved, false)) as improved,
        avg(amount order by num_fewshot, version) filter (counts) as amount,
        case when count(amount_stderr) filter (counts) = count(*) filter (counts) then
            avg(amount_stderr order by num_fewshot, version) filter (counts)
        end as amount_stderr,
        count(*) filter (counts) as counted,
        string_agg(broken, '; ' order by num_fewshot, version) filter (broken <> '') as broken,
        flatten(list(held order by num_fewshot, version)) as held,
        list({
            task: lower(task), benchmark: lower(benchmark), kind: kind, chance: chance, share: share, points: points,
            "from chance": from_chance, growth: growth, value: value
        } order by num_fewshot, version) as present
    from judged
    group by rule, model_id, method, repair, conditions, pruning_pct, intermediate_size, task
),
-- Sums have an order: their last digit would change from one time to the next, and with it who wins a tie.
levels as (
    select
        rule, model_id, method, repair, conditions, pruning_pct, intermediate_size,
        any_value(in_use) as in_use,
        any_value(prefer) as prefer,
        any_value(measure) as measure,
        any_value(weighs) as weighs,
        any_value(needs) as needs,
        any_value(group_floors) as group_floors,
        any_value(model) as model,
        any_value(expansion_ratio) as expansion_ratio,
        any_value(parameters) as parameters,
        100 * any_value(parameters) / any_value(baseline_parameters) as parameters_pct,
        avg(share order by position, task) as retained_pct,
        count(share) as benchmarks,
        count(*) filter (improved) as improved,
        arg_min(benchmark, (share, position, task)) filter (share is not null) as worst_benchmark,
        min(share) as worst_retained_pct,
        sum(weight * amount order by position, task)
            / sum(weight order by position, task) filter (counted > 0) as score,
        case when count(amount_stderr) = count(*) filter (counted > 0) then
            sqrt(sum((weight * amount_stderr) ** 2 order by position, task))
            / sum(weight order by position, task) filter (counted > 0)
        end as score_stderr,
        count(*) filter (counted > 0) as counted,
        sum(counted) as measurements,
        string_agg(broken, '; ' order by position, benchmark) as broken_floors,
        flatten(list(held order by position, task)) as held,
        flatten(list(present order by position, task)) as present,
        string_agg(benchmark, ', ' order by position, task) filter (share is null) as left_out
    from by_benchmark
    group by rule, model_id, method, repair, conditions, pruning_pct, intermediate_size
),
lacking as (
    select
        *,
        max(counted) over subject as most_counted,
        max(measurements) over subject as most_measurements,
        list_sum(list_transform(held, lambda h: case when h.amount is null then 0 else 1 end)) as tried,
        array_to_string(
            list_transform(
                list_filter(
                    needs,
                    lambda n: len(list_filter(
                        present,
                        lambda p: n.name in (p.task, p.benchmark) and case n.measure
                            when 'share' then p.share when 'points' then p.points when 'from chance' then p."from chance"
                            when 'growth' then p.growth else p.value
                        end is not null
                    )) = 0
                ),
                lambda n: n.label || case
                    when len(list_filter(present, lambda p: n.name in (p.task, p.benchmark))) = 0 then ' was not measured'
                    when n.measure = 'points' then ' is a perplexity, which has no points'
                    when n.measure = 'from chance' and len(list_filter(
                        present, lambda p: n.name in (p.task, p.benchmark) and p.chance is not null
                    )) = 0 then ' has no known chance level'
                    when n.measure = 'from chance' then ' is not clear of chance unpruned'
                    else ' is not clear of zero unpruned'
                end
            ),
            '; '
        ) as unmeasured,
        array_to_string(
            list_transform(
                list_filter(
                    group_floors,
                    lambda f: len(list_filter(
                        held, lambda h: h.benchmark = f.benchmark and h.measure = f.measure and h.amount is not null
                    )) = 0
                ),
                lambda f: 'nothing to hold the floor of '
                    || case f.benchmark when '*' then 'all benchmarks' else f.benchmark end || ' against'
            ),
            '; '
        ) as untried
    from levels
    window subject as (partition by rule, model_id, method, repair, conditions)
),
compared as (
    select *, max(tried) over (partition by rule, model_id, method, repair, conditions) as most_tried from lacking
)
select
    rule,
    model,
    method,
    repair,
    pruning_pct,
    score,
    score_stderr,
    case measure when 'points' then 'points' else '%' end as unit,
    broken_floors,
    case
        when unmeasured <> '' then unmeasured
        when untried <> '' then untried
        when tried < most_tried then format('{} of {} measurements for its floors', tried, most_tried)
        when weighs and counted < most_counted then format('{} of {} benchmarks measured', counted, most_counted)
        when weighs and measurements < most_measurements
            then format('{} of {} measurements of its benchmarks', measurements, most_measurements)
        when weighs and score is null then 'none of its benchmarks can be weighed'
    end as missing,
    broken_floors is null and missing is null as eligible,
    counted,
    prefer,
    measure,
    in_use,
    intermediate_size,
    expansion_ratio,
    parameters,
    parameters_pct,
    retained_pct,
    benchmarks,
    improved,
    worst_benchmark,
    worst_retained_pct,
    conditions,
    model_id,
    left_out
from compared;
comment on view rule_levels is 'One row is one pruned width of a model under one rule: its score, and what rules it out.';
comment on column rule_levels.missing is 'What the rule needs and the level has no measurement of; null if nothing.';
comment on column rule_levels.eligible is 'Whether the rule may call it best.';
comment on column rule_levels.counted is 'Benchmarks in the score.';
comment on column rule_levels.left_out is
    'Benchmarks with no share to take: unpruned they score zero, below, infinity, or no more than their error.';
comment on column rule_levels.improved is
    'Benchmarks that are better, with every number of shots they were measured with.';
comment on column rule_levels.benchmarks is 'Benchmarks that have a share to take: those of retained_pct.';

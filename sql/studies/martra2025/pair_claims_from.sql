-- One row is one claim about the size of a model, tested on two sizes of one family. Levels are those that both were
-- measured at; the error of a mean over levels is the mean of their errors, an upper bound.
-- needs: measured_as, t95, z95
create or replace macro second_told(second_pct, clear) as
    case
        when second_pct is null then 'the only one that holds the floors'
        else format('second {:g} %, {}', second_pct, case
            when clear is null then 'noise not known' when clear then 'clearly less' else 'within noise'
        end)
    end;
comment on macro second_told is 'The second level of a rule, in words.';
create or replace macro pair_claims_from(changes_name, pairs_name, levels_name) as table
with
changes as (
    from query_table(changes_name)
),
pairs as (
    from query_table(pairs_name)
),
rule_level as (
    from query_table(levels_name)
),
levels as materialized (
    select
        p.smaller_id, p.larger_id, p.smaller, p.larger, p.method, p.conditions, s.task, s.benchmark, s.kind, s.pruning_pct,
        s.num_fewshot, s.version, s.metric, s.filter,
        s.gain as s_gain, s.stderr as s_stderr, s.table_verdict as s_verdict, s.delta_pct as s_pct,
        s.pct_stderr as s_pct_stderr,
        s.retained_pct as s_retained, s.retained_stderr as s_retained_stderr,
        s.value / s.baseline as s_growth, s.log_stderr as s_log_stderr, s.baseline as s_baseline,
        s.baseline_stderr as s_baseline_stderr,
        l.gain as l_gain, l.stderr as l_stderr, l.delta_pct as l_pct, l.pct_stderr as l_pct_stderr,
        l.retained_pct as l_retained, l.retained_stderr as l_retained_stderr,
        l.value / l.baseline as l_growth, l.log_stderr as l_log_stderr, l.baseline as l_baseline,
        l.baseline_stderr as l_baseline_stderr, s.chance
    from pairs p
    join changes s
        on s.model_id = p.smaller_id and s.method = p.method and s.conditions is not distinct from p.conditions
    join changes l
        on l.model_id = p.larger_id and l.method = p.method and l.conditions is not distinct from p.conditions
        and l.task = s.task and l.metric = s.metric and l.filter = s.filter and l.pruning_pct = s.pruning_pct
        and l.num_fewshot is not distinct from s.num_fewshot and l.version is not distinct from s.version
),
means as materialized (
    select
        smaller_id, larger_id, any_value(smaller) as smaller, any_value(larger) as larger, method, conditions, task,
        num_fewshot, version, metric, filter,
        any_value(benchmark) as benchmark,
        any_value(kind) as kind,
        count(*) as levels,
        count(s_stderr + l_stderr) = count(*) as errors_known,
        min(pruning_pct) as first_pct,
        count(*) filter (s_gain > 0) as better,
        count(*) filter (s_verdict = 'gain') as gains,
        avg(s_gain order by pruning_pct) as s_mean,
        avg(s_gain order by pruning_pct) - z95() * avg(s_stderr order by pruning_pct) as s_low,
        avg(l_gain order by pruning_pct) as l_mean,
        avg(l_gain order by pruning_pct) - z95() * avg(l_stderr order by pruning_pct) as l_low,
        avg(s_gain - l_gain order by pruning_pct) as difference,
        z95() * avg(sqrt(s_stderr ** 2 + l_stderr ** 2) order by pruning_pct) as margin,
        avg(l_pct - s_pct order by pruning_pct) as pct_difference,
        z95() * avg(sqrt(s_pct_stderr ** 2 + l_pct_stderr ** 2) order by pruning_pct) as pct_margin,
        arg_min(s_retained, pruning_pct) as s_retained,
        arg_min(l_retained, pruning_pct) as l_retained,
        z95() * arg_min(sqrt(s_retained_stderr ** 2 + l_retained_stderr ** 2), pruning_pct)
            as retained_margin,
        count(*) filter (l_growth > s_growth) as grows_more,
        any_value(s_baseline - chance <= z95() * s_baseline_stderr) as s_at_chance,
        any_value(l_baseline - chance <= z95() * l_baseline_stderr) as l_at_chance
    from levels
    group by smaller_id, larger_id, method, conditions, task, num_fewshot, version, metric, filter
),
named as (
    select
        *,
        measured_as(
            benchmark, num_fewshot, count(distinct coalesce(num_fewshot, -2)) over of_benchmark > 1,
            version, count(distinct coalesce(version, '')) over of_benchmark > 1
        ) as name,
        coalesce(conditions, '') as conditions_or_none,
        coalesce(num_fewshot, -2) as shots_or_none,
        coalesce(version, '') as version_or_none
    from means
    window of_benchmark as (partition by smaller_id, larger_id, method, conditions, task)
),
-- Two curves of a perplexity's logarithm, each from its own unpruned value, at the levels in common and at 0: what bends
-- both alike is gone from their difference, and Student's t on that has the few points that there are. Where the values'
-- own errors are known and say less, they count.
curves as (
    select
        *,
        greatest(
            t95(points - 2) * sqrt(greatest(syy - slope_difference ** 2 * sxx, 0) / (points - 2) / sxx),
            coalesce(z95() * known_stderr, 0)
        ) as slope_margin
    from (
        select
            smaller_id, larger_id, method, coalesce(conditions, '') as conditions_or_none, task, metric, filter,
            coalesce(num_fewshot, -2) as shots_or_none, coalesce(version, '') as version_or_none,
            count(*) as points,
            regr_slope(l_log - s_log, x order by x) as slope_difference,
            regr_slope(s_log, x order by x) as s_slope,
            regr_slope(l_log, x order by x) as l_slope,
            regr_sxx(l_log - s_log, x order by x) as sxx,
            regr_syy(l_log - s_log, x order by x) as syy,
            case when count(variance) = count(*) then
                sqrt(sum((x - mean_x) ** 2 * variance order by x)) / regr_sxx(l_log, x order by x)
            end as known_stderr
        from (
            select
                *,
                avg(x) over (
                    partition by smaller_id, larger_id, method, conditions, task, metric, filter, num_fewshot, version
                    order by x
                    rows between unbounded preceding and unbounded following
                ) as mean_x
            from (
                select
                    smaller_id, larger_id, method, conditions, task, metric, filter, num_fewshot, version,
                    pruning_pct / 10 as x, ln(s_growth) as s_log, ln(l_growth) as l_log,
                    s_log_stderr ** 2 + l_log_stderr ** 2 as variance
                from levels
                where task = 'lambada_openai' and kind = 'perplexity'
                union all
                select distinct
                    smaller_id, larger_id, method, conditions, task, metric, filter, num_fewshot, version, 0, 0, 0, 0
                from levels
                where task = 'lambada_openai' and kind = 'perplexity'
            )
        )
        group by all
    )
    where points > 3
),
-- The best level of each of the two by the rule, as best_levels has it, among those at which both were measured on all that
-- the rule needs.
in_common as (
    select
        p.smaller_id, p.larger_id, p.smaller, p.larger, p.method, p.conditions,
        unnest([
            {side: 's', pruning_pct: s.pruning_pct, eligible: s.eligible, prefer: s.prefer, score: s.score,
                score_stderr: s.score_stderr, parameters: s.parameters},
            {side: 'l', pruning_pct: l.pruning_pct, eligible: l.eligible, prefer: l.prefer, score: l.score,
                score_stderr: l.score_stderr, parameters: l.parameters}
        ], recursive := true)
    from pairs p
    join rule_level s
        on s.model_id = p.smaller_id and s.method = p.method and s.conditions is not distinct from p.conditions
    join rule_level l
        on l.model_id = p.larger_id and l.method = p.method and l.conditions is not distinct from p.conditions
        and l.pruning_pct = s.pruning_pct
    where s.missing is null and l.missing is null
),
bests as (
    select
        smaller_id, larger_id, method, conditions, side,
        count(*) as levels,
        list({pruning_pct: pruning_pct, score: score, stderr: score_stderr} order by
            case when prefer = 'score' then score end desc nulls last, parameters, pruning_pct desc,
            score desc nulls last
        ) filter (eligible) as ranked
    from in_common
    group by smaller_id, larger_id, method, conditions, side
),
best_in_common as (
    select
        p.*,
        coalesce(max(b.levels), 0) as levels,
        any_value(told) filter (b.side = 's') as s,
        any_value(told) filter (b.side = 'l') as l
    from pairs p
    left join (
        select
            *,
            {
                pruning_pct: ranked[1].pruning_pct,
                second_pct: ranked[2].pruning_pct,
                clear: case when ranked[1].stderr is not null and ranked[2].stderr is not null then
                    abs(ranked[1].score - ranked[2].score) > z95() * sqrt(ranked[1].stderr ** 2 + ranked[2].stderr ** 2)
                end
            } as told
        from bests
    ) b
        on b.smaller_id = p.smaller_id and b.larger_id = p.larger_id and b.method = p.method
        and b.conditions is not distinct from p.conditions
    where exists (from rule_level r where r.model_id = p.smaller_id)
        and exists (from rule_level r where r.model_id = p.larger_id)
    group by all
),
parts as (
    select
        case task when 'leaderboard_musr' then 2 else 4 end as claim, 1 as parts_needed,
        smaller_id, larger_id, smaller, larger, method, conditions, task, num_fewshot, version, name, levels,
        errors_known,
        levels >= 2 and errors_known as enough,
        case
            when better = levels and s_low > 0 and l_low <= 0 and difference > margin then 'supported'
            when (s_low <= 0 and gains = 0) or difference < -margin then 'not supported'
            else 'mixed'
        end as decided,
        format(
            '{} of the smaller better at {} of {} levels, {} beyond noise, mean {:+.1f} points; of the larger {:+.1f}; '
            'difference {:+.1f} ({:+.1f} to {:+.1f})',
            name, better, levels, gains, 100 * s_mean, 100 * l_mean, 100 * difference,
            100 * (difference - margin), 100 * (difference + margin)
        ) || case
            when task = 'truthfulqa_mc1' and s_at_chance is not null and l_at_chance is not null then
                '; unpruned at chance: ' || case
                    when s_at_chance and l_at_chance then 'both' when s_at_chance then 'the smaller'
                    when l_at_chance then 'the larger' else 'neither'
                end
            else ''
        end as says
    from named
    where task in ('leaderboard_musr', 'truthfulqa_mc1')
    union all
    select
        5, 2, smaller_id, larger_id, smaller, larger, method, conditions, task, num_fewshot, version, name, levels,
        errors_known,
        levels >= 1 and pct_margin is not null,
        case
            when pct_difference >= -pct_margin then 'not supported'
            when l_retained - s_retained > retained_margin then 'mixed'
            else 'supported'
        end,
        format(
            '{} loss greater by {:.0f} % of the score in the larger ({:.0f} to {:.0f})', name, -pct_difference,
            -pct_difference - pct_margin, -pct_difference + pct_margin
        ) || coalesce(
            format(
                ', from chance at {:g} % the smaller keeps {:.0f} %, the larger {:.0f} %',
                first_pct, s_retained, l_retained
            ), ''
        )
    from named
    where task in ('mmlu', 'gsm8k', 'boolq')
    union all
    select
        7, 1, smaller_id, larger_id, smaller, larger, method, conditions, task, num_fewshot, version, name, levels, true,
        levels >= 3,
        case
            when grows_more = levels and slope_difference > slope_margin then 'supported'
            when 2 * grows_more < levels then 'not supported'
            else 'mixed'
        end,
        format(
            '{} grows more in the larger at {} of {} levels; for each 10 % ×{:.2f} in the larger, ×{:.2f} in the '
            'smaller, {}',
            name, grows_more, levels, exp(l_slope), exp(s_slope),
            case when abs(slope_difference) > slope_margin then 'beyond noise' else 'within noise' end
        )
    from named
    join curves using (
        smaller_id, larger_id, method, conditions_or_none, task, metric, filter, shots_or_none, version_or_none
    )
    where levels >= 3
    union all
    select
        7, 1, smaller_id, larger_id, smaller, larger, method, conditions, task, num_fewshot, version, name, levels, true,
        false, null, null
    from named
    where task = 'lambada_openai' and kind = 'perplexity' and levels < 3
    union all
    select
        8, 1, smaller_id, larger_id, smaller, larger, method, conditions, null, null, null, 'the best level',
        levels, true,
        levels >= 2 and s.pruning_pct is not null and l.pruning_pct is not null,
        case
            when s.pruning_pct <= l.pruning_pct then 'not supported'
            when (s.second_pct is null or s.clear) and (l.second_pct is null or l.clear) then 'supported'
            else 'mixed'
        end,
        format(
            'of {} levels in common the smaller''s best is {:g} % ({}), the larger''s {:g} % ({})',
            levels, s.pruning_pct, second_told(s.second_pct, s.clear), l.pruning_pct, second_told(l.second_pct, l.clear)
        )
    from best_in_common
)
select
    claim,
    any_value(smaller) as model,
    any_value(larger) as larger,
    method,
    case
        when count(distinct coalesce(task, '')) filter (enough) < any_value(parts_needed) then 'cannot tell'
        when bool_and(decided = 'supported') filter (enough) then 'supported'
        when bool_and(decided = 'not supported') filter (enough) then 'not supported'
        else 'mixed'
    end as verdict,
    string_agg(says, '; ' order by name, num_fewshot, version) filter (enough) as says,
    nullif(concat_ws(
        '; ',
        string_agg(
            case
                when not errors_known then format('no standard error of {}', name)
                when claim = 8 and levels < 2
                    then format('what the rule `study` needs at {} levels in common only', levels)
                when claim = 8 then 'a level that the rule `study` may call best'
                else format('{} at {} levels in common only', name, levels)
            end, '; ' order by name, num_fewshot, version
        ) filter (not enough),
        case
            when count(distinct coalesce(task, '')) < any_value(parts_needed) then
                format('{} more benchmark to tell from', any_value(parts_needed) - count(distinct coalesce(task, '')))
        end
    ), '') as missing,
    conditions,
    smaller_id as model_id,
    larger_id
from parts
group by claim, smaller_id, larger_id, method, conditions;
comment on macro table pair_claims_from is
    'pair_claims of these rows of claim_changes, claim_pairs and rule_levels, relations by their names.';

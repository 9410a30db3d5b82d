-- One row is one claim about the size of a model, tested on two sizes of one family. Levels are those that both were
-- measured at; the error of a mean over levels is the mean of their errors, an upper bound.
create or replace macro pair_claims_from(changes_name, series_name, pairs_name, best_name) as table
with
changes as (
    from query_table(changes_name)
),
series as (
    from query_table(series_name)
),
pairs as (
    from query_table(pairs_name)
),
best as (
    from query_table(best_name)
),
levels as materialized (
    select
        p.smaller_id, p.larger_id, p.smaller, p.larger, p.method, p.conditions, s.task, s.benchmark, s.pruning_pct,
        s.num_fewshot, s.version, s.metric, s.filter,
        s.gain as s_gain, s.stderr as s_stderr, s.verdict as s_verdict, s.delta_pct as s_pct,
        s.pct_stderr as s_pct_stderr,
        s.retained_pct as s_retained, s.retained_stderr as s_retained_stderr,
        s.value / s.baseline as s_growth, s.baseline as s_baseline,
        s.baseline_stderr as s_baseline_stderr,
        l.gain as l_gain, l.stderr as l_stderr, l.delta_pct as l_pct, l.pct_stderr as l_pct_stderr,
        l.retained_pct as l_retained, l.retained_stderr as l_retained_stderr,
        l.value / l.baseline as l_growth, l.baseline as l_baseline,
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
        count(*) as levels,
        count(s_stderr + l_stderr) = count(*) as errors_known,
        min(pruning_pct) as first_pct,
        count(*) filter (s_gain > 0) as better,
        count(*) filter (s_verdict = 'gain') as gains,
        avg(s_gain) as s_mean,
        avg(s_gain) - z95() * avg(s_stderr) as s_low,
        avg(l_gain) as l_mean,
        avg(l_gain) - z95() * avg(l_stderr) as l_low,
        avg(s_gain - l_gain) as difference,
        z95() * avg(sqrt(s_stderr ** 2 + l_stderr ** 2)) as margin,
        avg(l_pct - s_pct) as pct_difference,
        z95() * avg(sqrt(s_pct_stderr ** 2 + l_pct_stderr ** 2)) as pct_margin,
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
        ) as name
    from means
    window of_benchmark as (partition by smaller_id, larger_id, method, conditions, task)
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
        7, 1, m.smaller_id, m.larger_id, m.smaller, m.larger, m.method, m.conditions, m.task, m.num_fewshot,
        m.version, m.name, m.levels, true,
        s.widths >= 4 and l.widths >= 4 and m.levels >= 3,
        case
            when grows_more = m.levels and l.log_slope - s.log_slope
                > z95() * sqrt(s.log_slope_stderr ** 2 + l.log_slope_stderr ** 2) then 'supported'
            when 2 * grows_more < m.levels then 'not supported'
            else 'mixed'
        end,
        format(
            '{} grows more in the larger at {} of {} levels; for each 10 % ×{:.2f} in the larger, ×{:.2f} in the '
            'smaller, {}',
            m.name, grows_more, m.levels, exp(l.log_slope), exp(s.log_slope),
            case
                when abs(l.log_slope - s.log_slope)
                    > z95() * sqrt(s.log_slope_stderr ** 2 + l.log_slope_stderr ** 2) then 'beyond noise'
                else 'within noise'
            end
        )
    from named m
    join series s
        on s.model_id = m.smaller_id and s.method = m.method and s.conditions is not distinct from m.conditions
        and s.task = m.task and s.metric = m.metric and s.filter = m.filter
        and s.num_fewshot is not distinct from m.num_fewshot and s.version is not distinct from m.version
    join series l
        on l.model_id = m.larger_id and l.method = m.method and l.conditions is not distinct from m.conditions
        and l.task = m.task and l.metric = m.metric and l.filter = m.filter
        and l.num_fewshot is not distinct from m.num_fewshot and l.version is not distinct from m.version
    where m.task = 'lambada_openai' and s.kind = 'perplexity'
    union all
    select
        8, 1, p.smaller_id, p.larger_id, p.smaller, p.larger, p.method, p.conditions, null, null, null, 'the best level',
        least(s.eligible_levels, l.eligible_levels), true,
        s.pruning_pct is not null and l.pruning_pct is not null,
        case
            when s.pruning_pct <= l.pruning_pct then 'not supported'
            when (s.eligible_levels = 1 or s.clear_of_second) and (l.eligible_levels = 1 or l.clear_of_second)
                then 'supported'
            else 'mixed'
        end,
        format(
            'the smaller''s best level is {:g} % ({}), the larger''s {:g} % ({})',
            s.pruning_pct,
            case
                when s.eligible_levels = 1 then 'the only one'
                else format('second {:g} %, {}', s.second_pct, case
                    when s.clear_of_second is null then 'noise not known' when s.clear_of_second then 'clearly less'
                    else 'within noise'
                end)
            end,
            l.pruning_pct,
            case
                when l.eligible_levels = 1 then 'the only one'
                else format('second {:g} %, {}', l.second_pct, case
                    when l.clear_of_second is null then 'noise not known' when l.clear_of_second then 'clearly less'
                    else 'within noise'
                end)
            end
        )
    from pairs p
    join best s
        on s.model_id = p.smaller_id and s.method = p.method
        and s.conditions is not distinct from p.conditions
    join best l
        on l.model_id = p.larger_id and l.method = p.method
        and l.conditions is not distinct from p.conditions
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
    'pair_claims of these rows of claim_changes, claim_series, claim_pairs and best_levels, relations by their names.';
create or replace view pair_claims as
with
all_changes as materialized (
    from claim_changes
),
all_series as materialized (
    from claim_series_from('all_changes')
),
all_best as materialized (
    from best_levels where rule = 'study'
)
from pair_claims_from('all_changes', 'all_series', 'claim_pairs', 'all_best');
comment on view pair_claims is 'One row is one claim about the size of a model, tested on two sizes of one family.';
comment on column pair_claims.model is 'The smaller one.';
comment on column pair_claims.verdict is 'supported, not supported, mixed or cannot tell; claim_list.test says when.';
comment on column pair_claims.missing is 'What was not measured, or has no error; null if nothing.';

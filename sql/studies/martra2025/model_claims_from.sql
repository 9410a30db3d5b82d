-- One row is one claim about single models, tested on one model (one method, given conditions).
-- needs: z95
create or replace macro model_claims_from(changes_name, series_name) as table
with
changes as (
    from query_table(changes_name)
),
series as (
    from query_table(series_name)
),
-- What each benchmark says by itself, at each number of shots; a verdict needs enough widths and, but for the exponential,
-- errors. All must say it, but a benchmark is one, whatever numbers of shots it was measured with.
parts as (
    select
        1 as claim, 1 as parts_needed, *,
        case
            when better = levels and mean_low > 0 then 'supported'
            when mean_low <= 0 and gains = 0 then 'not supported'
            else 'mixed'
        end as decided,
        levels >= 2 as enough,
        errors_known as with_errors,
        format(
            '{} better at {} of {} levels, {} beyond noise; mean change {:+.1f} points ({:+.1f} to {:+.1f})',
            name, better, levels, gains, 100 * mean_gain, 100 * mean_low, 100 * mean_high
        ) as says
    from series
    where task = 'ifeval'
    union all
    select
        3, 1, *,
        case
            when slope <= z95() * slope_stderr then 'not supported'
            when losses > 0 then 'mixed'
            else 'supported'
        end,
        levels >= 2,
        slope_stderr is not null,
        format(
            '{} {:+.2f} points for each 10 % ({:+.2f} to {:+.2f}); better at {} of {} levels, {} beyond noise, '
            '{} clearly worse',
            name, 100 * slope, 100 * (slope - z95() * slope_stderr),
            100 * (slope + z95() * slope_stderr), better, levels, gains, losses
        )
    from series
    where task = 'truthfulqa_mc2'
    union all
    select
        6, 1, *,
        case when log_r2 >= 0.9 and log_r2 > line_r2 and log_slope > 0 then 'supported' else 'not supported' end,
        widths >= 4,
        true,
        format(
            '{} ×{:.2f} for each 10 %; an exponential explains {:.0f} % of its logarithm, a straight line {:.0f} % '
            'of the perplexity itself',
            name, exp(log_slope), 100 * log_r2, 100 * line_r2
        )
    from series
    where kind = 'perplexity'
    union all
    select
        9, 1, *,
        case
            when losses_alone = levels and mean_pct <= -50 then 'supported'
            when losses = 0 then 'not supported'
            else 'mixed'
        end,
        levels >= 2,
        errors_known,
        format(
            '{} clearly worse at {} of {} levels, each alone, at {} over all; on average {:+.0f} % of the score',
            name, losses_alone, levels, losses, mean_pct
        )
    from series
    where task = 'gsm8k'
    union all
    select
        10, 2, *,
        case
            when slope < -z95() * slope_stderr and (line_r2 >= 0.9 or scatter_is_noise) then 'supported'
            else 'not supported'
        end,
        widths >= 4,
        slope_stderr is not null,
        format(
            '{} {:+.1f} points for each 10 % ({:+.1f} to {:+.1f}), a line explains {:.0f} %',
            name, 100 * slope, 100 * (slope - z95() * slope_stderr),
            100 * (slope + z95() * slope_stderr), 100 * line_r2
        ) || case when line_r2 < 0.9 and scatter_is_noise then ', the rest is noise' else '' end
    from series
    where task in ('hellaswag', 'piqa', 'winogrande')
),
by_series as (
    select
        claim, model_id, any_value(model) as model, method, conditions,
        case
            when count(distinct task) filter (enough and with_errors) < any_value(parts_needed) then 'cannot tell'
            when bool_and(decided = 'supported') filter (enough and with_errors) then 'supported'
            when bool_and(decided = 'not supported') filter (enough and with_errors) then 'not supported'
            else 'mixed'
        end as verdict,
        string_agg(says, '; ' order by benchmark, num_fewshot, version) filter (enough and with_errors) as says,
        string_agg(
            case
                when not enough then format('{} at {} pruned levels only', name, levels)
                else format('no standard error of {}', name)
            end, '; ' order by benchmark, num_fewshot, version
        ) filter (not enough or not with_errors) as lacks,
        any_value(parts_needed) - count(distinct task) as parts_missing
    from parts
    group by claim, model_id, method, conditions
),
-- Claim 11 level by level, corrected over all levels: with several numbers of shots, no loss with any, or a loss with each.
levels as (
    select
        model_id, any_value(model) as model, method, conditions, pruning_pct, intermediate_size,
        count(distinct task) filter (table_verdict is not null) = 3 as known,
        coalesce(bool_and(table_verdict = 'loss') filter (task = 'mmlu' and table_verdict is not null), false) as mmlu_lost,
        coalesce(bool_or(table_verdict = 'loss') filter (task = 'ifeval'), false) as ifeval_lost,
        coalesce(bool_or(table_verdict = 'loss') filter (task = 'truthfulqa_mc2'), false) as mc2_lost
    from changes
    where task in ('ifeval', 'truthfulqa_mc2', 'mmlu')
    group by model_id, method, conditions, pruning_pct, intermediate_size
),
trade_off as (
    select
        model_id, any_value(model) as model, method, conditions,
        count(*) filter (known) as levels,
        count(*) filter (known and mmlu_lost and not ifeval_lost and not mc2_lost) as holds,
        count(*) filter (known and mmlu_lost) as mmlu_lost,
        count(*) filter (known and ifeval_lost) as ifeval_lost,
        count(*) filter (known and mc2_lost) as mc2_lost
    from levels
    group by model_id, method, conditions
)
select
    claim, model, method, verdict, says,
    case
        when verdict = 'cannot tell' and parts_missing > 0 then
            coalesce(lacks || '; ', '') || format('{} more benchmark to tell from', parts_missing)
        else lacks
    end as missing,
    conditions, model_id
from by_series
union all
select
    11, model, method,
    case
        when levels < 2 then 'cannot tell' when holds = levels then 'supported' when holds = 0 then 'not supported'
        else 'mixed'
    end,
    case when levels >= 2 then format(
        'at {} of {} levels; clearly worse: MMLU at {}, IFEval at {}, TruthfulQA-MC2 at {}',
        holds, levels, mmlu_lost, ifeval_lost, mc2_lost
    ) end,
    case when levels < 2 then
        format('the three benchmarks, with standard errors, at {} pruned levels only', levels)
    end,
    conditions, model_id
from trade_off;
comment on macro table model_claims_from is
    'model_claims of these rows of claim_changes and claim_series, relations by their names.';

-- One row is the best pruned width of a model under one rule (one method, given conditions), and why it is that one;
-- without a level where none may be called best. Best is the highest score, on a tie the narrower; or, if the rule
-- prefers it, the narrowest width that holds every floor.
-- needs: rule_levels, z95
create or replace view best_levels as
with
ranked as (
    select
        *,
        row_number() over (
            partition by rule, model_id, method, repair, conditions, eligible
            order by
                case when prefer = 'score' then score end desc nulls last,
                parameters,
                pruning_pct desc,
                score desc nulls last
        ) as place,
        count(*) filter (eligible) over subject as eligible_levels,
        count(*) filter (missing is not null) over subject as levels_missing
    from rule_levels
    window subject as (partition by rule, model_id, method, repair, conditions)
),
-- Where no level is eligible, the one that comes first stands for the model.
picked as (
    select
        *,
        place = 1 and (eligible or eligible_levels = 0) as is_first,
        max(case when eligible and place = 1 then pruning_pct end) over subject as best_pct,
        max(case when eligible and place = 2 then pruning_pct end) over subject as second_pct,
        max(case when eligible and place = 2 then score end) over subject as second_score,
        max(case when eligible and place = 2 then score_stderr end) over subject as second_stderr
    from ranked
    window subject as (partition by rule, model_id, method, repair, conditions)
),
-- What a reader asks about next: of the levels that are out, the least pruned that is narrower than the best one.
told as (
    select
        *,
        min_by(
            case when not eligible then format('{:g} %: {}', pruning_pct, coalesce(missing, broken_floors)) end,
            case when not eligible then (coalesce(pruning_pct <= best_pct, false), pruning_pct) end
        ) over (partition by rule, model_id, method, repair, conditions) as ruled_out,
        case when score_stderr is not null and second_stderr is not null then
            abs(score - second_score) > z95() * sqrt(score_stderr ** 2 + second_stderr ** 2)
        end as clear
    from picked
    qualify is_first
)
select
    model,
    method,
    repair,
    case when eligible then pruning_pct end as pruning_pct,
    case when eligible then intermediate_size end as intermediate_size,
    case when eligible then expansion_ratio end as expansion_ratio,
    case when eligible then parameters end as parameters,
    case when eligible then parameters_pct end as parameters_pct,
    case when eligible then retained_pct end as retained_pct,
    case when eligible then benchmarks end as benchmarks,
    case when eligible then improved end as improved,
    case when eligible then worst_benchmark end as worst_benchmark,
    case when eligible then worst_retained_pct end as worst_retained_pct,
    conditions,
    model_id,
    rule,
    case when eligible then score end as score,
    case when eligible then score_stderr end as score_stderr,
    unit,
    case
        when not eligible and levels_missing > 0 then
            'Cannot tell, no level is measured well enough or holds its floors. ' || ruled_out || '.'
        when not eligible then 'No level holds the floors. ' || ruled_out || '.'
        else
            case
                when eligible_levels = 1 then 'The only level that can be called best'
                when prefer = 'score' then format(
                    'Highest score of {} levels; second: {:g} % with {:.1f} {}, {}', eligible_levels, second_pct,
                    second_score, unit,
                    case
                        when clear is null then 'noise not known' when clear then 'clearly less' else 'within noise'
                    end
                )
                else format('Narrowest of {} levels that hold the floors', eligible_levels)
            end
            || '.'
            || coalesce(' Ruled out: ' || ruled_out || '.', '')
            || case when measure = 'share' then
                coalesce(format(' Left out, as unpruned it has no share to keep: {}.', left_out), '')
            else '' end
    end as why,
    second_pct,
    second_score,
    clear as clear_of_second,
    eligible_levels,
    levels_missing,
    in_use
from told;
comment on view best_levels is 'One row is the best pruned width of a model under one rule, and why it is that one.';
comment on column best_levels.pruning_pct is 'Null where no level may be called best; why says what is in the way.';
comment on column best_levels.score is 'As in rule_levels, in the unit given.';
comment on column best_levels.clear_of_second is
    'Whether the score is beyond noise of the second''s (95 %), the two taken as independent; null if unknown.';
comment on column best_levels.eligible_levels is
    'Levels that hold every floor and are measured on all that the rule needs.';
comment on column best_levels.levels_missing is 'Levels that lack a measurement that the rule needs.';
comment on column best_levels.intermediate_size is
    'Neurons left in each layer''s MLP at the best level; null where none may be called best.';
comment on column best_levels.improved is
    'Benchmarks that are better, with every number of shots they were measured with; null where no level is best.';
comment on column best_levels.benchmarks is
    'Benchmarks that have a share to take: those of retained_pct; null where no level may be called best.';
comment on column best_levels.second_pct is 'pruning_pct of the level that comes second; null where there is none.';
comment on column best_levels.second_score is 'Its score, in the unit given; null where there is none.';
comment on column best_levels.score_stderr is
    'Its standard error, benchmarks taken as independent; null if one is unknown, or none is best.';

-- The best level of each model, by one rule or by each.
select
    rule, model, method, repair, conditions, pruning_pct, parameters, parameters_pct, score, score_stderr, unit, why,
    clear_of_second, in_use
from best_levels
where $rule is null or rule = $rule
order by in_use desc, rule, model, method, repair <> 'none', repair, conditions;

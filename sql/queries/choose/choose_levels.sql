-- The pruned widths of these models as a rule sees them: score, and what keeps the rule from calling one best.
select
    model_id, model, method, repair, conditions, pruning_pct, intermediate_size, parameters, score, score_stderr, unit,
    coalesce(missing, broken_floors) as out_because, missing is not null as is_unknown
from rule_levels
where rule = $rule and list_contains($model_ids, model_id)
order by model_id, method, repair, conditions, pruning_pct;

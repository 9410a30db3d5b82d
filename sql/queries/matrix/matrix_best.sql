-- One row is the best level of one of the chosen subjects by the rule in use, and why it is that one; as best_levels.
select
    model, method, repair, pruning_pct, score, score_stderr, unit, why, rule, retained_pct, parameters_pct, benchmarks,
    improved,
    worst_benchmark, worst_retained_pct, second_pct, second_score, clear_of_second, intermediate_size, expansion_ratio,
    parameters, conditions, model_id, concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject
from best_levels
where in_use
    and list_contains($model_ids, model_id)
    and list_contains($subjects, concat_ws('|', model_id, method, repair, coalesce(conditions, '')))
order by model, method, repair <> 'none', repair, conditions, subject;

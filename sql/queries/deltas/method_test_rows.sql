-- Methods, repairs and calibrations of a model against each other, each pair below the last.
from method_tests_of($model_ids)
order by
    model_id, pruning_pct, first_method, first_repair <> 'none', first_repair, first_conditions,
    second_method, second_repair <> 'none', second_repair, second_conditions, position, task, num_fewshot, version, metric;

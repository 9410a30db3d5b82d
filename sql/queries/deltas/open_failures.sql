-- The last error of each cell of some models that no later run has mended.
select distinct on (model_id, conditions, method, repair, pruning_pct, task)
    model_id, conditions, method, repair, pruning_pct, task, error
from open_failures_of($model_ids)
order by model_id, conditions, method, repair, pruning_pct, task, recorded_at desc;

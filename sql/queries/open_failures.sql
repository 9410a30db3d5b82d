-- Cells of a model whose last word is an error.
select distinct on (r.model_id, r.conditions, v.method, v.pruning_pct, f.task)
    r.model_id, r.conditions, v.method, v.pruning_pct, f.task, f.error
from failures f
join run_models r using (run_id)
join variants v using (run_id, level)
anti join cells c on c.run_id = f.run_id and c.level = f.level and c.task = f.task
where list_contains($model_ids, r.model_id)
order by r.model_id, r.conditions, v.method, v.pruning_pct, f.task, f.recorded_at desc;

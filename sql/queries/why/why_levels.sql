-- Every name that a width of a model was asked for by.
select distinct r.model_id, v.intermediate_size, v.pruning_pct, v.level
from variants v
join run_models r using (run_id)
where list_contains($model_ids, r.model_id);

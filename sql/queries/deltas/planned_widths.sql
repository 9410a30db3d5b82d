-- Widths of a model that runs set out to measure, measured or not.
select distinct
    r.model_id,
    v.method,
    v.repair,
    v.level,
    v.pruning_pct,
    v.intermediate_size,
    coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned,
    series_conditions(r.conditions, r.other_calibration, unpruned) as conditions
from variants v
join run_models r using (run_id)
where list_contains($model_ids, r.model_id);

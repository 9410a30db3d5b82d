-- The runs that a bundle is to hold: those named, those of the models named, or all where neither is.
select run_id, name, origin, model_id, model, cells_done
from run_overview
where (len($run_ids) = 0 and len($model_ids) = 0)
    or list_contains($run_ids, run_id)
    or list_contains($model_ids, model_id)
order by created_at, run_id;

-- The models that runs have current scores of, each with its method, repair and conditions in one text, as matrix_rows
-- names them.
select distinct concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject
from current_metrics
where list_contains($run_ids, run_id)
order by subject;

-- The models, methods and conditions that a run has current scores of, in one text each, as matrix_rows names them.
select distinct concat_ws('|', model_id, method, coalesce(conditions, '')) as subject
from current_metrics
where run_id = $run_id
order by subject;

select run_id, model_id, conditions, footnote
from run_identities
where run_id in (select run_id from models where model_id = $model_id)
order by run_id;

select run_id, model_id, conditions, footnote, other_calibration
from run_identities
where run_id in (select run_id from models where model = $model)
order by run_id;

select run_id, task, recorded_shots, recorded_version, num_fewshot, version, conditions, footnote
from task_identities
where run_id in (select run_id from models where model = $model)
order by all;

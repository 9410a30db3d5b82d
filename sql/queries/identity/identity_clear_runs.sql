delete from run_identities where run_id in (select run_id from models where model = $model);

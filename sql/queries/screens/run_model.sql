select distinct model_id from run_models where run_id = $run_id and model_id is not null order by model_id;

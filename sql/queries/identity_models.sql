-- The recorded model_ids of a run, or of every run (null): what shares one has the same name and weights.
select distinct model_id from models where $run_id is null or run_id = $run_id order by model_id;

-- The names of the models of a run, or of every run (null): what has one name may be one model.
select distinct model from models where $run_id is null or run_id = $run_id order by model;

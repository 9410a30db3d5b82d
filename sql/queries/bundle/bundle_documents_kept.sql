-- Those of a run that came in a bundle.
insert into documents by name select * from read_parquet($path) where run_id = $run_id;

-- Those of one task, from a run's own file.
insert into documents
select $run_id, $task, doc_id, doc_hash, prompts, choices, target from read_parquet($path);

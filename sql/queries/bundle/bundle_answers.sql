-- Those of one cell, from a run's own file.
insert into answers
select $run_id, $level, $task, doc_id, log_likelihoods, greedy, texts from read_parquet($path) where texts is not null;

-- What each level answered to one document of a run that came in a bundle.
select level, log_likelihoods, greedy, texts from read_parquet($path) where task = $task and doc_id = $doc_id;

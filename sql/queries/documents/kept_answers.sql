-- What each level answered to one document, or each, of a run that came in a bundle.
select level, doc_id, log_likelihoods, greedy, texts from read_parquet($path)
where task = $task and ($doc_id::integer is null or doc_id = $doc_id);

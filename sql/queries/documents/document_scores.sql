-- How one document, or each, was judged at each level of a run.
select level, doc_id, metric, filter, value, response from samples
where run_id = $run_id and task = $task and ($doc_id::integer is null or doc_id = $doc_id);

-- How one document was judged at each level of a run.
select level, metric, filter, value, response from samples
where run_id = $run_id and task = $task and doc_id = $doc_id;

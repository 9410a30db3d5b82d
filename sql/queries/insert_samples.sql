insert into samples by name
select
    $run_id as run_id, $seq as seq, $level as level, $task as task,
    doc_id, filter, metric, value, weight, response
from read_parquet($path);

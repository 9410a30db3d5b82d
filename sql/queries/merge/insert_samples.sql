-- Files from before there were terms have no such column; it is null then.
insert into samples by name
select
    $run_id as run_id, $seq as seq, $level as level, $task as task,
    columns(lambda name: name in ('doc_id', 'filter', 'metric', 'value', 'weight', 'response', 'terms'))
from read_parquet($path);

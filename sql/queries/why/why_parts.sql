-- The direct parts of a group's aggregate, as they stood when it was computed.
select task, value, stderr, n, seq, is_group, num_fewshot, version
from metrics
where run_id = $run_id and level = $level and part_of = $task and metric = $metric and filter = $filter and seq < $seq
qualify row_number() over (partition by task order by seq desc) = 1
order by task;

-- The number of the unpruned model that a pruned one is compared with, where there is one.
select m.run_id, m.seq, m.value, m.stderr, m.n, m.recorded_at
from (
    select baseline_run_id, baseline_seq, task, metric, filter
    from baseline_deltas
    where model_id = $model_id and method = $method and repair = $repair and run_id = $run_id and seq = $seq
        and task = $task and metric = $metric and filter = $filter and pruning_pct = $pruning_pct
) d
join metrics m
    on m.run_id = d.baseline_run_id and m.seq = d.baseline_seq
    and m.task = d.task and m.metric = d.metric and m.filter = d.filter;

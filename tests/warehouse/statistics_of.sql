select s.*, p.t_critical
from delta_statistics s
join paired_deltas p using (run_id, seq, level, task, metric, filter)
where s.task = $task and s.metric = $metric
order by s.pruning_pct;

-- Measurements of speed, energy and memory by level.
select r.model, v.pruning_pct, m.workload, m.batch_size, m.quantity, m.mean, m.std, m.unit, m.n
from measurements m
join run_overview r using (run_id)
join variants v using (run_id, level)
order by r.model, m.workload, m.quantity, m.batch_size, v.pruning_pct;

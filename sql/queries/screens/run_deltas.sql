select pruning_pct, benchmark, metric, value, baseline, delta, delta_pct, stderr, improved
from baseline_deltas
where run_id = $run_id and is_headline
order by pruning_pct, position, benchmark;

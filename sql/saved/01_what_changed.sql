-- Every benchmark at every level, the largest losses first.
select model, pruning_pct, benchmark, metric, value, baseline, round(delta_pct, 1) as delta_pct, stderr
from baseline_deltas
where is_headline
order by improved, abs(delta_pct) desc;

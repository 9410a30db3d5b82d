-- Benchmarks that improve at every level.
select model, benchmark, metric, levels, round(smallest_delta_pct, 1) as least_pct, round(largest_delta_pct, 1) as most_pct,
    largest_at_pct
from consistent_improvements
order by model, position;

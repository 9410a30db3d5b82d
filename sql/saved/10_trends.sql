-- Which way each benchmark goes with the level, how steeply, and where the loss becomes clear.
select model, benchmark, trend, trend_beyond_noise, slope_per_10pct, slope_stderr, drops_at_pct, growth_per_10pct
from benchmark_trends
order by model, position;

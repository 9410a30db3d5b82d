-- The level of each model that keeps most of its scores, on average over benchmarks.
select model, method, pruning_pct, round(retained_pct, 1) as retained_pct, round(parameters_pct, 1) as parameters_pct,
    benchmarks, improved, worst_benchmark
from best_level
order by retained_pct desc;

-- Widths that no other width beats in both quality and parameters, among all models.
select model, method, pruning_pct, parameters, quality, quality_stderr, benchmarks
from pareto_front
where scope = 'all models' and on_front
order by parameters;

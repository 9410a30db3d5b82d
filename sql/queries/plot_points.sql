-- One row is one point of a plot: a benchmark's score at one width of a model, with its standard error.
with deltas as (/* matrix_rows */)
select model, method, pruning_pct, expansion_ratio, parameters, benchmark, metric, value, stderr, unpruned, conditions
from deltas
where task = $task and num_fewshot is not distinct from $num_fewshot
order by model, method, conditions, pruning_pct;

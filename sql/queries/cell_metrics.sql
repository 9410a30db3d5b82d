-- Every metric of one task at one width of a model, with its change against the unpruned model; then those of the
-- parts of the task, if it is a group.
with chosen as materialized (
    from current_metrics
    where model_id = $model_id
        and method = $method
        and conditions is not distinct from $conditions
        and (task = $task or part_of = $task)
        and num_fewshot is not distinct from $num_fewshot
)
select
    c.task, c.metric, c.filter, c.value, c.stderr, b.value as baseline, b.stderr as baseline_stderr,
    c.value - b.value as delta,
    case when b.value <> 0 then 100 * (c.value - b.value) / abs(b.value) end as delta_pct,
    case
        when not isnan(c.value - b.value) then (c.value <> b.value) and ((c.value > b.value) = c.higher_is_better)
    end as improved,
    sqrt(c.stderr * c.stderr + b.stderr * b.stderr) as delta_stderr,
    c.n, c.version, c.num_fewshot, c.run_id, c.seq, b.run_id as baseline_run_id, c.recorded_at, c.conditions,
    c.kind, c.intermediate_size, c.expansion_ratio, c.parameters
from chosen c
left join chosen b
    on b.unpruned
    and b.task = c.task
    and b.metric = c.metric
    and b.filter = c.filter
    and b.version is not distinct from c.version
where c.pruning_pct = $pruning_pct and c.intermediate_size is not distinct from $intermediate_size
order by c.task <> $task, c.task, c.metric, c.filter;

-- Every metric of one task at one width of a model, with its change against the unpruned model and how sure that is; then
-- those of the parts of the task, if it is a group.
with
chosen as (
    from current_metrics
    where model_id = $model_id
        and method = $method
        and repair = $repair
        and conditions is not distinct from $conditions
        and (task = $task or part_of = $task)
        and num_fewshot is not distinct from $num_fewshot
        and pruning_pct = $pruning_pct
        and intermediate_size is not distinct from $intermediate_size
),
compared as (
    from delta_statistics
    where model_id = $model_id
        and method = $method
        and repair = $repair
        and conditions is not distinct from $conditions
        and pruning_pct = $pruning_pct
)
select
    c.task, c.metric, c.filter, c.value, c.stderr, d.baseline, d.baseline_stderr, d.delta, d.delta_pct, d.improved,
    d.stderr as delta_stderr, d.stderr_kind, d.ci_low, d.ci_high, d.ci_low_pct, d.ci_high_pct, d.p_value, d.p_kind,
    d.p_holm, d.verdict, d.factor, d.factor_low, d.factor_high, d.log_stderr, d.pairs, d.lost, d.gained, d.agreement, c.n, c.version, c.num_fewshot, c.run_id, c.seq,
    d.baseline_run_id, c.recorded_at, c.conditions, c.kind, c.intermediate_size, c.expansion_ratio, c.parameters
from chosen c
left join compared d
    on d.run_id = c.run_id
    and d.seq = c.seq
    and d.level = c.level
    and d.task = c.task
    and d.metric = c.metric
    and d.filter = c.filter
order by c.task <> $task, c.task, c.metric, c.filter;

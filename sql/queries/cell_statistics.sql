-- How sure a cell's change is: its row of delta_statistics.
select
    stderr, stderr_kind, ci_low, ci_high, ci_low_pct, ci_high_pct, p_value, p_kind, p_holm, verdict, pairs, lost, gained,
    agreement, chance, retained_pct, unpaired_because
from delta_statistics
where model_id = $model_id
    and method = $method
    and conditions is not distinct from $conditions
    and pruning_pct = $pruning_pct
    and intermediate_size is not distinct from $intermediate_size
    and task = $task
    and metric = $metric
    and filter = $filter
    and num_fewshot is not distinct from $num_fewshot
    and version is not distinct from $version;

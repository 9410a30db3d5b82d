-- The current numbers of some models: what a person can ask the origin of.
select
    model, model_id, method, repair, conditions, base_conditions, calibration, level, pruning_pct, intermediate_size,
    expansion_ratio, unpruned,
    task, benchmark, part_of, is_group, num_fewshot, version, metric, filter, value, stderr, n, higher_is_better,
    origin, run_id, seq, recorded_at, footnote
from current_metrics
where list_contains($model_ids, model_id)
order by
    model_id, method, repair, conditions, pruning_pct, intermediate_size desc, task, num_fewshot, version, metric, filter;

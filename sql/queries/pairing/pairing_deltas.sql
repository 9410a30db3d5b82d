-- The changes that are due, as they stand now.
create or replace temp table pairing_deltas as
select
    run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level, is_group, value, baseline,
    method, repair, conditions, pruning_pct, expansion_ratio, num_fewshot, version, is_headline
from baseline_deltas
where model_id = $model_id
    and base_conditions is not distinct from $conditions
    and list_contains($tasks, task)
    and baseline is not null;

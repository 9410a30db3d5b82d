-- What has to be compared: metrics of pruned widths whose pair with the current baseline is not in paired_deltas.
create or replace temp table pairing_work as
select
    row_number() over () as work,
    d.run_id, d.seq, d.level, d.task, d.metric, d.filter,
    d.baseline_run_id, d.baseline_seq, d.baseline_level,
    d.is_group, d.value, d.baseline
from baseline_deltas d
anti join paired_deltas p using (
    run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
)
where d.model_id = $model_id
    and d.conditions is not distinct from $conditions
    and list_contains($tasks, d.task)
    and d.baseline is not null;

-- The changes that are due, as they stand now. The three lists say what of each model and conditions is; that of models
-- and that of tasks are filters which reach the tables.
create or replace temp table pairing_deltas as
with asked as (
    select unnest($model_ids) as model_id, unnest($conditions::varchar[]) as conditions, unnest($tasks) as task
)
select
    d.run_id, d.seq, d.level, d.task, d.metric, d.filter, d.baseline_run_id, d.baseline_seq, d.baseline_level, d.is_group, d.value,
    d.baseline, d.method, d.repair, d.conditions, d.pruning_pct, d.expansion_ratio, d.num_fewshot, d.version, d.is_headline,
    d.kind, d.model_id, d.base_conditions
from baseline_deltas d
semi join asked a
    on a.model_id = d.model_id and a.conditions is not distinct from d.base_conditions and a.task = d.task
where list_contains($model_ids, d.model_id)
    and list_contains($tasks, d.task)
    and d.baseline is not null;

-- Cells of a model whose last word is an error, here and in every later run of the same conditions and width.
with cell as (
    select
        r.model_id, r.conditions, v.method, v.intermediate_size, v.pruning_pct, c.task, max(c.recorded_at) as recorded_at
    from cells c
    join run_models r using (run_id)
    join variants v using (run_id, level)
    where list_contains($model_ids, r.model_id)
    group by all
)
select distinct on (r.model_id, r.conditions, v.method, v.pruning_pct, f.task)
    r.model_id, r.conditions, v.method, v.pruning_pct, f.task, f.error
from failures f
join run_models r using (run_id)
join variants v using (run_id, level)
anti join cell c
    on c.model_id = r.model_id and c.conditions is not distinct from r.conditions and c.task = f.task
    and (c.method = v.method or (c.pruning_pct = 0 and v.pruning_pct = 0))
    and c.intermediate_size is not distinct from v.intermediate_size and c.pruning_pct = v.pruning_pct
    and c.recorded_at >= f.recorded_at
where list_contains($model_ids, r.model_id)
order by r.model_id, r.conditions, v.method, v.pruning_pct, f.task, f.recorded_at desc;

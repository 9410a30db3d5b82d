-- What can be shown side by side: a model, pruned with a method, repaired or not, measured under given conditions.
with
-- Tasks that were asked otherwise than in other runs stand in a column of their own.
condition as (
    select run_id, conditions from run_models
    union
    select run_id, conditions from task_identities
),
measured as (
    select
        r.model_id, r.model, o.conditions as base_conditions, r.other_calibration, r.origin, r.created_at, r.parameters,
        r.tuned, v.method, v.repair, v.level,
        coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned
    from run_models r
    semi join cells using (run_id)
    join condition o using (run_id)
    join variants v using (run_id)
)
select
    model_id,
    arg_max(model, created_at) as model,
    is_tuned(arg_max(tuned, created_at), arg_max(model, created_at)) as tuned,
    method,
    repair,
    series_conditions(base_conditions, other_calibration, unpruned) as conditions,
    max(parameters) as parameters,
    count(distinct level) filter (not unpruned) as levels,
    list(distinct origin order by origin) as origins,
    max(created_at) as latest
from measured m
where not unpruned
    or not exists (
        from measured o
        where o.model_id = m.model_id and o.base_conditions is not distinct from m.base_conditions and not o.unpruned
    )
group by model_id, method, repair, conditions
order by model, method, repair <> 'none', repair, conditions, model_id;

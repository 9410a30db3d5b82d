-- Each model, and what is measured of it: with which method and repair and under which conditions, at which levels, on what.
with
about as (
    select
        model_id, arg_max(model, created_at) as model, arg_max(model_type, created_at) as model_type,
        max(parameters) as parameters, count(*) as runs, list(distinct origin order by origin) as origins
    from run_models
    where model_id is not null
    group by model_id
),
benchmark as (
    select
        model_id, method, repair, conditions, task, any_value(benchmark) as benchmark, min(position) as position,
        list(distinct pruning_pct) as levels
    from headline_metrics
    group by model_id, method, repair, conditions, task
),
measured as (
    select
        model_id, method, repair, conditions, list_sort(list_distinct(flatten(list(levels)))) as levels,
        list(benchmark order by position, benchmark) as benchmarks
    from benchmark
    group by model_id, method, repair, conditions
)
select
    a.*,
    coalesce(
        list(
            {method: m.method, repair: m.repair, conditions: m.conditions, levels: m.levels, benchmarks: m.benchmarks}
            order by m.method, m.repair, m.conditions
        ) filter (m.model_id is not null),
        []
    ) as measured
from about a
left join measured m using (model_id)
group by all
order by a.model, a.model_id;

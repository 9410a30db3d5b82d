-- Every time the same number was measured, the latest first: the first row is what the views call current.
with
variant as (
    select
        v.run_id, v.level, v.method, v.pruning_pct, v.intermediate_size, r.name, r.origin,
        coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned
    from variants v
    join run_overview r using (run_id)
    where r.model_id = $model_id and r.conditions is not distinct from $conditions
    qualify row_number() over (partition by v.run_id, v.level order by v.seq desc) = 1
)
select m.run_id, v.name, v.origin, m.seq, m.level, m.value, m.stderr, m.recorded_at
from metrics m
join variant v using (run_id, level)
where v.unpruned = $unpruned
    and (v.unpruned or v.method = $method)
    and v.intermediate_size is not distinct from $intermediate_size
    and (v.intermediate_size is not null or v.pruning_pct = $pruning_pct)
    and m.task = $task
    and m.num_fewshot is not distinct from $num_fewshot
    and m.version is not distinct from $version
    and m.metric = $metric
    and m.filter = $filter
order by m.recorded_at desc, m.run_id desc, m.seq desc;

-- Every time the same number was measured, the latest first: the first row is what the views call current.
with
variant as (
    select
        v.run_id, v.level, v.method, v.repair, r.other_calibration, v.pruning_pct, v.intermediate_size, r.name,
        r.origin, r.conditions,
        coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned
    from variants v
    join run_overview r using (run_id)
    where r.model_id = $model_id
    qualify row_number() over (partition by v.run_id, v.level order by v.seq desc) = 1
)
select m.run_id, v.name, v.origin, m.seq, m.level, m.value, m.stderr, m.n, m.recorded_at
from metrics m
join variant v using (run_id, level)
left join task_identities t
    on t.run_id = m.run_id and t.task = m.task
    and t.recorded_shots is not distinct from m.num_fewshot and t.recorded_version is not distinct from m.version
left join task_versions o on o.task = m.task
where v.unpruned = $unpruned
    and (v.unpruned or (v.method = $method and v.repair = $repair))
    and v.intermediate_size is not distinct from $intermediate_size
    and (v.intermediate_size is not null or v.pruning_pct = $pruning_pct)
    and m.task = $task
    and case when t.run_id is null then v.conditions else t.conditions end is not distinct from $base_conditions
    and (
        v.unpruned
        or series_conditions($base_conditions, v.other_calibration, false) is not distinct from $conditions
    )
    and case when t.run_id is null then m.num_fewshot else t.num_fewshot end is not distinct from $num_fewshot
    and coalesce(t.version, m.version, o.version) is not distinct from $version
    and m.metric = $metric
    and m.filter = $filter
order by m.recorded_at desc, m.run_id desc, m.seq desc;

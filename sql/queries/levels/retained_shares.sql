-- What is left of each benchmark at each pruned width of these models, of all if none is named; `compared` tells those
-- that the unpruned model was asked as well.
with measured as (
    select
        model_id, any_value(model) as model, method, repair, conditions, pruning_pct, intermediate_size, task,
        min(level) as level, any_value(expansion_ratio) as expansion_ratio, any_value(benchmark) as benchmark,
        any_value(position) as position, bool_or(baseline is not null and not isnan(baseline)) as compared
    from baseline_deltas
    where is_headline and kind <> 'damage' and ($model_ids is null or list_contains($model_ids, model_id))
    group by model_id, method, repair, conditions, pruning_pct, intermediate_size, task
)
select
    m.model_id, m.model, m.method, m.repair, m.conditions, m.level, m.pruning_pct, m.intermediate_size, m.expansion_ratio,
    m.task, m.benchmark, m.compared, s.share
from measured m
left join level_shares s
    on s.model_id = m.model_id and s.method = m.method and s.repair = m.repair and s.conditions is not distinct from m.conditions
    and s.pruning_pct = m.pruning_pct and s.intermediate_size is not distinct from m.intermediate_size
    and s.task = m.task
order by m.model, m.model_id, m.method, m.repair, m.conditions, m.pruning_pct, m.position, m.task;

-- One row is one benchmark at one width of a model: its headline metric, settled in `benchmarks` for those the
-- study used, else the first in `metric_order`. Parts of a group are left out where the group's aggregate is there.
create or replace view headline_metrics as
select c.*
from current_metrics c
left join benchmarks b on b.task = c.task
left join metric_order o on o.metric = c.metric
where not exists (
    from current_metrics g
    where g.is_group
        and g.task = c.part_of
        and g.model_id = c.model_id
        and g.method = c.method
        and g.pruning_pct = c.pruning_pct
        and g.intermediate_size is not distinct from c.intermediate_size
        and g.conditions is not distinct from c.conditions
)
qualify row_number() over (
    partition by
        c.model_id, c.method, c.unpruned, c.intermediate_size, c.pruning_pct, c.conditions,
        c.task, c.num_fewshot, c.version
    order by
        coalesce(c.metric = b.metric and c.filter = b.filter, false) desc,
        o.preference nulls last,
        c.metric,
        c.filter = 'none' desc,
        c.filter = 'strict-match' desc,
        c.filter
) = 1;
comment on view headline_metrics is 'One row is one benchmark at one width of a model, by its headline metric.';

-- One row is one row of current_metrics, marked where it is the headline metric of its task at its width: the one that
-- `benchmarks` settles for the tasks of the study, else the first in `metric_order`. Parts of a group are no headlines
-- where the group's aggregate is there. By windows, not joins: a filter on
-- model or model_id goes through them.
-- needs: benchmarks, metric_order, metric_values
create or replace view marked_metrics as
with grouped as (
    select
        *,
        coalesce(list_contains(
            list(task) filter (is_group) over (
                partition by model, model_id, method, repair, unpruned, pruning_pct, intermediate_size, conditions
            ),
            part_of
        ), false) as in_group
    from metric_values
)
select
    g.* exclude (in_group),
    not in_group and row_number() over (
        partition by
            g.model, g.model_id, g.method, g.repair, g.unpruned, g.intermediate_size, g.pruning_pct, g.conditions,
            g.task, g.num_fewshot, g.version, in_group
        order by
            coalesce(g.metric = b.metric and g.filter = b.filter, false) desc,
            o.preference nulls last,
            g.metric,
            g.filter = 'none' desc,
            g.filter = 'strict-match' desc,
            g.filter
    ) = 1 as is_headline
from grouped g
left join benchmarks b on b.task = g.task
left join metric_order o on o.metric = g.metric;
comment on view marked_metrics is 'One row is one row of current_metrics; is_headline says which stand for their benchmark.';
comment on column marked_metrics.sweep is 'As in metric_values.';
comment on column marked_metrics.by_run is 'Of the unpruned width: what each run measured; else null.';

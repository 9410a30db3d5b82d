-- One row is one point of a plot: a benchmark's score at one width of a model, with its standard error. As in
-- matrix_rows, `picked` names metrics to show instead of the headline ones; changes are not asked for, which is quicker.
with
shown as (
    select
        *,
        concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject,
        list_contains($picked, concat_ws('|', task, metric, filter)) as is_picked
    from marked_metrics
    where list_contains($model_ids, model_id)
        and list_contains($conditions, coalesce(conditions, ''))
        and list_contains($subjects, subject)
        and task = $task
        and num_fewshot is not distinct from $num_fewshot
        and (is_headline or is_picked)
        and contains(lower(benchmark || ' ' || task || ' ' || metric), lower($search))
    qualify row_number() over (
        partition by subject, unpruned, intermediate_size, pruning_pct, version
        order by is_picked desc
    ) = 1
)
select
    model, method, repair, pruning_pct, expansion_ratio, parameters, benchmark, metric, value, stderr, unpruned, conditions
from shown
order by model, method, repair <> 'none', repair, conditions, pruning_pct;

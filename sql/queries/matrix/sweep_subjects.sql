-- What a sweep's runs have current scores of, each named as matrix_rows names it. The unpruned model belongs to every
-- method: it counts where the sweep has nothing else of a model.
with measured as (
    select
        concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject,
        unpruned and bool_or(not unpruned) over (partition by model_id) as is_beside
    from current_metrics
    where run_id in (select run_id from run_models where sweep = $sweep)
)
select distinct subject
from measured
where not is_beside
order by subject;

-- The headline scores of one width of a model, the newest of each, and the data set that each is of, for a model card.
select
    h.benchmark, h.task, h.metric, h.filter, h.num_fewshot, h.value, h.stderr, h.n, h.conditions, h.recorded_at,
    (
        select any_value(t.dataset) from tasks t
        where t.run_id = h.run_id and (t.task = h.task or t.part_of = h.task) and t.dataset <> ''
    ) as dataset
from headline_metrics h
where list_contains($model_ids, h.model_id)
    and h.method = $method
    and h.repair = $repair
    and h.intermediate_size = $intermediate_size
    and not h.unpruned
qualify row_number() over (
    partition by h.task, h.metric, h.filter, h.num_fewshot order by h.recorded_at desc, h.run_id
) = 1
order by h.benchmark, h.task;

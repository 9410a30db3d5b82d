-- One row is one benchmark at one width of the chosen models, with its change against the unpruned model: the rows of
-- headline_metrics and baseline_deltas, read for these models only, which is what keeps it fast in a large database.
-- `picked` names metrics to show instead of the headline ones, as task|metric|filter.
with
chosen as materialized (
    select *, concat_ws('|', model_id, method, coalesce(conditions, '')) as subject
    from current_metrics
    where list_contains($model_ids, model_id)
        and list_contains($subjects, concat_ws('|', model_id, method, coalesce(conditions, '')))
),
whole as (
    select distinct subject, pruning_pct, intermediate_size, task from chosen where is_group
),
shown as (
    select c.*
    from chosen c
    left join benchmarks b on b.task = c.task
    left join metric_order o on o.metric = c.metric
    where not exists (
        from whole w
        where w.task = c.part_of
            and w.subject = c.subject
            and w.pruning_pct = c.pruning_pct
            and w.intermediate_size is not distinct from c.intermediate_size
    )
    qualify row_number() over (
        partition by
            c.subject, c.unpruned, c.intermediate_size, c.pruning_pct, c.task, c.num_fewshot, c.version
        order by
            list_contains($picked, concat_ws('|', c.task, c.metric, c.filter)) desc,
            coalesce(c.metric = b.metric and c.filter = b.filter, false) desc,
            o.preference nulls last,
            c.metric,
            c.filter = 'none' desc,
            c.filter = 'strict-match' desc,
            c.filter
    ) = 1
)
select
    s.model,
    s.method,
    s.pruning_pct,
    s.benchmark,
    s.metric,
    s.value,
    b.value as baseline,
    s.value - b.value as delta,
    case when b.value <> 0 then 100 * (s.value - b.value) / abs(b.value) end as delta_pct,
    case
        when not isnan(s.value - b.value) then (s.value <> b.value) and ((s.value > b.value) = s.higher_is_better)
    end as improved,
    sqrt(s.stderr * s.stderr + b.stderr * b.stderr) as delta_stderr,
    s.stderr,
    s.n,
    s.task,
    s.filter,
    s.num_fewshot,
    s.version,
    s.kind,
    s.higher_is_better,
    s.position,
    s.level,
    s.unpruned,
    s.intermediate_size,
    s.expansion_ratio,
    s.parameters,
    s.is_group,
    s.conditions,
    s.model_id,
    s.subject,
    s.run_id,
    s.seq,
    b.run_id as baseline_run_id,
    b.seq as baseline_seq,
    b.level as baseline_level,
    b.parameters as baseline_parameters
from shown s
left join chosen b
    on not s.unpruned
    and b.unpruned
    and b.subject = s.subject
    and b.task = s.task
    and b.num_fewshot is not distinct from s.num_fewshot
    and b.version is not distinct from s.version
    and b.metric = s.metric
    and b.filter = s.filter
where contains(lower(s.benchmark || ' ' || s.task || ' ' || s.metric), lower($search))
order by
    s.position, s.benchmark, s.task, s.num_fewshot, s.version,
    s.model, s.method, s.conditions, s.subject, not s.unpruned, s.pruning_pct, s.intermediate_size desc;

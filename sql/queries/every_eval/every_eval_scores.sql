-- Every score of a run at every width, each measurement as it was recorded last, with the data set it is of.
with
variant as (
    from variants where run_id = $run_id qualify row_number() over (partition by level order by seq desc) = 1
),
task as (
    select task, any_value(dataset) filter (dataset <> '') as dataset
    from tasks where run_id = $run_id group by task
)
select
    m.level, v.method, v.repair, v.pruning_pct, v.intermediate_size, v.parameters,
    m.task, m.metric, m.filter, m.num_fewshot, m.version, m.value, m.stderr, m.n, m.higher_is_better, m.is_group,
    is_share(m.metric) as is_share, is_perplexity(m.metric) as is_perplexity, t.dataset,
    max(m.recorded_at) over (partition by m.level) as evaluated_at
from metrics m
join variant v using (level)
left join task t using (task)
where m.run_id = $run_id
qualify row_number() over (
    partition by m.level, m.task, m.metric, m.filter, m.num_fewshot, m.version order by m.seq desc
) = 1
order by v.pruning_pct, m.level, m.task, m.metric, m.filter;

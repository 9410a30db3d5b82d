-- Every metric of a model with its deltas, the unpruned width included: long form of the delta tables.
select
    c.model, c.method, c.pruning_pct, c.task, c.metric, c.value,
    d.baseline, d.delta, d.delta_pct, d.improved, d.stderr,
    h.run_id is not null as is_headline,
    c.benchmark, c.position, c.kind, c.filter, c.num_fewshot, c.version, c.higher_is_better, c.n,
    c.level, c.unpruned, c.intermediate_size, c.expansion_ratio, c.parameters, c.conditions, c.run_id, c.model_id
from current_metrics c
left join baseline_deltas d using (run_id, seq, level, task, metric, filter, method)
left join headline_metrics h using (run_id, seq, level, task, metric, filter, method)
where list_contains($model_ids, c.model_id)
order by
    c.model_id, c.method, c.conditions, not c.unpruned, c.pruning_pct, c.intermediate_size desc,
    c.position, c.task, c.num_fewshot, c.version, c.metric, c.filter;

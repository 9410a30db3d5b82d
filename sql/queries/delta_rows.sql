-- Every metric of a model with its deltas and their statistics, the unpruned width included: long form of the delta tables.
with
shown as (
    select * from marked_metrics where list_contains($model_ids, model_id)
),
changes as (
    select * from delta_statistics where list_contains($model_ids, model_id)
)
select
    c.model, c.method, c.pruning_pct, c.task, c.metric, c.value,
    d.baseline, d.delta, d.delta_pct, d.improved, d.stderr,
    c.is_headline,
    c.benchmark, c.position, c.kind, c.filter, c.num_fewshot, c.version, c.higher_is_better, c.n,
    c.level, c.unpruned, c.intermediate_size, c.expansion_ratio, c.parameters, c.conditions, c.run_id, c.model_id,
    d.stderr_kind, d.ci_low, d.ci_high, d.ci_low_pct, d.ci_high_pct, d.p_value, d.p_kind, d.p_holm, d.verdict,
    d.pairs, d.lost, d.gained, d.agreement, d.chance, d.retained_pct
from shown c
left join changes d using (run_id, seq, level, task, metric, filter, method)
order by
    c.model_id, c.method, c.conditions, not c.unpruned, c.pruning_pct, c.intermediate_size desc,
    c.position, c.task, c.num_fewshot, c.version, c.metric, c.filter;

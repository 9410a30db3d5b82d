-- Every metric of a model with its deltas and their statistics, the unpruned width included: long form of the delta tables.
with
shown as (
    select *, false as unpruned
    from delta_statistics
    where list_contains($model_ids, model_id)
    union all by name
    select * exclude (stderr, chance, by_run, sweep), stderr as value_stderr
    from marked_metrics
    where unpruned and list_contains($model_ids, model_id)
)
select
    model, method, repair, pruning_pct, task, metric, value,
    baseline, delta, delta_pct, improved, stderr, value_stderr,
    is_headline,
    benchmark, position, kind, filter, num_fewshot, version, higher_is_better, n,
    level, unpruned, intermediate_size, expansion_ratio, parameters, conditions, run_id, model_id,
    stderr_kind, ci_low, ci_high, ci_low_pct, ci_high_pct, p_value, p_kind, p_holm, verdict,
    pairs, lost, gained, agreement, chance, retained_pct, unpaired_because,
    p_table, table_verdict, factor, factor_low, factor_high, footnote, calibration, base_conditions
from shown
order by
    model_id, method, repair <> 'none', repair, conditions, not unpruned, pruning_pct, intermediate_size desc,
    position, task, num_fewshot, version, metric, filter;

-- One row is one width of a model over all its benchmarks, as in level_scores; the
-- unpruned width stands there with 100 %. Means are taken in one order, so that they are the same each time.
with
deltas as (/* matrix_rows */),
shares as (
    select
        *,
        case
            when unpruned then case when can_be_shared(value, stderr) then 1 end
            when not can_be_shared(baseline, baseline_stderr) then null
            when isnan(value) then 0
            when higher_is_better = false then baseline / nullif(value, 0)
            else value / baseline
        end as share
    from deltas
    where kind <> 'damage' and (unpruned or (baseline is not null and not isnan(baseline)))
),
by_benchmark as (
    select
        model, method, repair, pruning_pct, level, intermediate_size, expansion_ratio, parameters, baseline_parameters,
        unpruned, conditions, model_id, subject, task, benchmark, position,
        avg(share order by num_fewshot, version, metric, filter) as share,
        bool_and(coalesce(improved, false)) as improved
    from shares
    group by all
)
select
    model,
    method,
    repair,
    pruning_pct,
    level,
    intermediate_size,
    expansion_ratio,
    parameters,
    100 * parameters / max(coalesce(baseline_parameters, parameters)) as parameters_pct,
    100 * avg(share order by position, task) as retained_pct,
    count(share) as benchmarks,
    count(*) filter (improved) as improved,
    arg_min(benchmark, (share, position, task)) filter (share is not null) as worst_benchmark,
    100 * min(share) as worst_retained_pct,
    string_agg(benchmark, ', ' order by position, task) filter (share is null) as left_out,
    unpruned,
    conditions,
    model_id,
    subject
from by_benchmark
group by model, method, repair, pruning_pct, level, intermediate_size, expansion_ratio, parameters, unpruned, conditions,
    model_id, subject
order by model, method, repair <> 'none', repair, conditions, subject, pruning_pct;

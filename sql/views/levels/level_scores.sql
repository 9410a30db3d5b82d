-- One row is one pruned width of a model over all its benchmarks. `retained_pct` is the mean over benchmarks of the
-- share of the unpruned model's score that is left: value / baseline, or baseline / value where lower is better; a
-- value that is not a number counts as nothing left. A baseline that is zero, below, infinite, or within its error of zero
-- leaves the benchmark out: what is left of it is no share. `left_out` says which. A benchmark counts once: with several
-- numbers of shots, or versions, it is the mean of them. Sums have an order, or their last digit would change.
-- needs: baseline_deltas, can_be_shared
create or replace view level_scores as
with
shares as (
    select
        *,
        case
            when not can_be_shared(baseline, baseline_stderr) then null
            when isnan(value) then 0
            when higher_is_better = false then baseline / nullif(value, 0)
            else value / baseline
        end as share
    from baseline_deltas
    where is_headline and kind <> 'damage' and baseline is not null and not isnan(baseline)
),
by_benchmark as (
    select
        model, method, repair, pruning_pct, intermediate_size, expansion_ratio, parameters, baseline_parameters, conditions,
        model_id, task, benchmark, position,
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
    intermediate_size,
    expansion_ratio,
    parameters,
    100 * parameters / baseline_parameters as parameters_pct,
    100 * avg(share order by position, task) as retained_pct,
    count(share) as benchmarks,
    count(*) filter (improved) as improved,
    arg_min(benchmark, (share, position, task)) filter (share is not null) as worst_benchmark,
    100 * min(share) as worst_retained_pct,
    conditions,
    model_id,
    string_agg(benchmark, ', ' order by position, task) filter (share is null) as left_out
from by_benchmark
group by all;
comment on view level_scores is 'One row is one pruned width of a model over all its benchmarks.';
comment on column level_scores.improved is 'Benchmarks that are better, with every number of shots they were measured with.';
comment on column level_scores.left_out is
    'Benchmarks with no share to take: unpruned they score zero, below, infinity, or no more than their error.';
comment on column level_scores.benchmarks is 'Benchmarks that have a share to take: those of retained_pct.';

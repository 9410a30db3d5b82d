-- One row is one pruned width of a model over all its benchmarks. `retained_pct` is the mean over benchmarks of the
-- share of the unpruned model's score that is left, as level_shares has it; `left_out` says of which there is none. Sums
-- have an order, or their last digit would change.
-- needs: level_shares
create or replace view level_scores as
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
from level_shares
group by all;
comment on view level_scores is 'One row is one pruned width of a model over all its benchmarks.';
comment on column level_scores.improved is 'Benchmarks that are better, with every number of shots they were measured with.';
comment on column level_scores.left_out is
    'Benchmarks with no share to take: unpruned they score zero, below, infinity, or no more than their error.';
comment on column level_scores.benchmarks is 'Benchmarks that have a share to take: those of retained_pct.';

-- One row is one benchmark at one pruned width of a model: the share of the unpruned model's score that is left, value /
-- baseline, or baseline / value where lower is better; a value that is not a number counts as nothing left. A baseline
-- that is zero, below, infinite, or within its error of zero has none: what is left of it is no share. A benchmark counts
-- once: with several numbers of shots, or versions, it is the mean of them. Sums have an order, or their last digit would
-- change.
-- needs: baseline_deltas, can_be_shared
create or replace view level_shares as
with shares as (
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
)
select
    model, method, repair, pruning_pct, task, benchmark, position,
    avg(share order by num_fewshot, version, metric, filter) as share,
    bool_and(coalesce(improved, false)) as improved,
    intermediate_size, expansion_ratio, parameters, baseline_parameters, conditions, model_id
from shares
group by all;
comment on view level_shares is 'One row is one benchmark at one pruned width of a model: what is left of its score.';
comment on column level_shares.share is
    'What is left of the unpruned model''s score: 1 is all of it; null where the unpruned score is not clear of zero.';
comment on column level_shares.improved is 'Whether it is better, with every number of shots it was measured with.';

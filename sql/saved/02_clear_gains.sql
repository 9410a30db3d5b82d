-- Gains larger than chance explains: over 1.96 standard errors of the change.
select model, pruning_pct, benchmark, value, baseline, delta, stderr, round(delta / stderr, 1) as sigmas
from baseline_deltas
where is_headline and improved and abs(delta) >= 1.96 * stderr
order by abs(delta / stderr) desc;

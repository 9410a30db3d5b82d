-- One row is one headline metric of a model over all its widths, of all models: claim_series_from has how.
-- needs: claim_changes, claim_series_from
create or replace view claim_series as
with all_changes as materialized (
    from claim_changes
)
from claim_series_from('all_changes');
comment on view claim_series is
    'One row is one headline metric of a model over all its widths: levels, mean change and lines.';
comment on column claim_series.mean_gain is 'Mean change over the pruned levels, positive where it is better.';
comment on column claim_series.mean_stderr is 'Upper bound of its standard error.';
comment on column claim_series.slope is 'For each 10 %, of a line weighted by the errors; null if one is unknown.';
comment on column claim_series.scatter_is_noise is 'Whether the values miss that line by no more than their errors.';
comment on column claim_series.log_slope is 'Growth of the perplexity''s natural logarithm for each 10 %.';
comment on column claim_series.log_r2 is 'Share of the log perplexity''s variance that the exponential explains.';
comment on column claim_series.name is 'The benchmark, with its number of shots where the model was measured with several.';
comment on column claim_series.gains is 'Levels with a gain beyond noise, corrected over all benchmarks and levels.';
comment on column claim_series.losses is 'Levels with a loss beyond noise, in the same way.';
comment on column claim_series.losses_alone is
    'Levels with a loss beyond noise, each taken alone: for what must hold at every one of them.';
comment on column claim_series.levels is 'Pruned widths that were measured.';
comment on column claim_series.errors_known is 'Whether the change at each of them has a standard error.';
comment on column claim_series.better is 'Levels that are better than the unpruned model.';
comment on column claim_series.mean_pct is 'Mean over the levels of delta_pct.';
comment on column claim_series.mean_low is 'Lower end of the 95 % interval of mean_gain; null if an error is unknown.';
comment on column claim_series.mean_high is 'Upper end of the same interval.';
comment on column claim_series.widths is 'Widths that the lines go through, the full one included.';
comment on column claim_series.slope_stderr is 'Standard error of slope; null if an error is unknown.';
comment on column claim_series.line_r2 is 'Share of the values'' variance that a straight line explains.';
comment on column claim_series.log_slope_stderr is 'Standard error of log_slope; null for fewer than three widths.';

-- Of a share of the baseline nothing can be said where that is zero, below, infinite, or within its own error of zero.
-- needs: z95
create or replace macro can_be_shared(baseline, baseline_stderr) as
    isfinite(baseline) and baseline > 0
    and (baseline_stderr is null or not isfinite(baseline_stderr) or baseline > z95() * baseline_stderr);
comment on macro can_be_shared is 'Whether what is left of a baseline can be told in percent of it.';

-- By the delta method. The covariance comes from the variance of the difference, so that pairing is not lost. abs, not
-- greatest(…, 0): that would take an unknown error for none.
create or replace macro pct_stderr(score, score_stderr, baseline, baseline_stderr, delta_stderr) as
    100 / nullif(abs(baseline), 0) * sqrt(abs(
        score_stderr ** 2 + (score / nullif(baseline, 0) * baseline_stderr) ** 2
        - score / nullif(baseline, 0) * (score_stderr ** 2 + baseline_stderr ** 2 - delta_stderr ** 2)
    ));
comment on macro pct_stderr is 'Standard error of a change in percent of its baseline.';

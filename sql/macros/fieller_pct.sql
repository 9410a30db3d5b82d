-- The 95 % interval of a change in percent, with the baseline's own error in it, is Fieller's (1954): the shares
-- score / baseline whose test does not reject. As the variance of the difference is the one that made `delta_limit`, the
-- same end of the change's own interval, both have no change in them, or neither has. The share is a root of a quadratic,
-- of which this is the middle; `clear` is baseline ** 2 less its error's part, and `rest` the same of the score.
-- needs: z95
create or replace macro fieller_middle(score, score_stderr, baseline, baseline_stderr, delta_limit) as
    score * baseline
    - (z95() ** 2 * (score_stderr ** 2 + baseline_stderr ** 2) - (score - baseline - delta_limit) ** 2) / 2;
-- Side -1 is the lower end, 1 the upper one. Null where the baseline is not clear of zero: it would have no end.
create or replace macro fieller_pct(middle, clear, rest, baseline, side) as
    case when clear > 0 then
        100 * sign(baseline)
        * ((middle + side * sign(baseline) * sqrt(greatest(0, middle ** 2 - clear * rest))) / clear - 1)
    end;
comment on macro fieller_pct is 'One end of the 95 % interval of a change in percent of its baseline.';

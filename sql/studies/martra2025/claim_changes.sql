-- One row is one headline metric's change at one pruned width, as delta_statistics has it, where there is a direction
-- that is better and a baseline to take percentages of; with what the claims count besides. What was
-- repaired is not what the study is about.
-- needs: delta_statistics, pct_stderr
create or replace view claim_changes as
select
    model_id, model, method, conditions, task, num_fewshot, version, metric, filter, benchmark, position, kind,
    higher_is_better, pruning_pct, intermediate_size, parameters, value, value_stderr, baseline, baseline_stderr, delta,
    delta_pct, improved, chance, retained_pct, stderr, stderr_kind, ci_low, ci_high,
    ci_low_pct, ci_high_pct, p_value, p_holm, verdict, p_table, table_verdict, factor, log_stderr,
    delta * case when higher_is_better then 1 else -1 end as gain,
    case
        when factor is not null then 100 * factor * log_stderr
        else pct_stderr(value, value_stderr, baseline, baseline_stderr, stderr)
    end as pct_stderr,
    -- By the delta method, from the variance of the difference, so that pairing is not lost.
    case when retained_pct is not null then
        100 / (baseline - chance) * sqrt(abs(
            value_stderr ** 2 + (retained_pct / 100 * baseline_stderr) ** 2
            - retained_pct / 100 * (value_stderr ** 2 + baseline_stderr ** 2 - stderr ** 2)
        ))
    end as retained_stderr
from delta_statistics
where repair = 'none' and kind <> 'damage'
    and is_headline and isfinite(value) and isfinite(baseline) and baseline <> 0 and improved is not null;
comment on view claim_changes is
    'One row is one headline metric''s change at one pruned width, with an error where one can be given.';
comment on column claim_changes.gain is 'delta, positive where it is better.';
comment on column claim_changes.pct_stderr is 'Standard error of delta_pct.';
comment on column claim_changes.retained_stderr is 'Standard error of retained_pct.';

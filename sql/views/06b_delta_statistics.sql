-- One row is one row of baseline_deltas with all that can be said about the change's uncertainty. The best evidence
-- there is decides, in this order: the same documents' differences (with the tasks of a group as clusters), resampled
-- pairs of documents for metrics that are no means, the two reported standard errors taken as independent, and for
-- accuracies without any the binomial ones, from the number of questions; `stderr_kind` and `p_kind` say which.
-- docs/statistics.md has the formulas.
create or replace view delta_statistics as
with
counted as (
    select d.*, questions_behind(d.n, d.metric, d.conditions, q.questions) as questions
    from baseline_deltas d
    left join question_counts q using (task)
),
with_errors as (
    select
        * replace (
            coalesce(value_stderr, binomial_stderr(value, questions)) as value_stderr,
            coalesce(baseline_stderr, binomial_stderr(baseline, questions)) as baseline_stderr
        ),
        value_stderr is null or baseline_stderr is null as is_binomial
    from counted
),
-- One column, whatever is asked for: beside it DuckDB hashes the few rows of a model, not this large table.
pairs as (
    select
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level,
        {
            estimator: estimator, pairs: pairs, parts: parts, paired_stderr: paired_stderr,
            clustered_stderr: clustered_stderr, bootstrap_stderr: bootstrap_stderr, bootstrap_low: bootstrap_low,
            bootstrap_high: bootstrap_high, bootstrap_p: bootstrap_p, bootstrap_draws: bootstrap_draws, lost: lost,
            gained: gained, mcnemar_p: mcnemar_p, answers: answers, agreement: agreement, unpaired_because: problem
        } as found
    from paired_deltas
),
due as (
    select distinct model_id, conditions, task, true as is_due from pairing_due
),
evidence as (
    select
        d.* exclude (stderr, chance, is_binomial),
        sqrt(d.value_stderr * d.value_stderr + d.baseline_stderr * d.baseline_stderr) as unpaired_stderr,
        unnest(p.found),
        p.found is null and d.baseline is not null and due.is_due as is_due,
        coalesce(d.chance, c.chance) as chance,
        case
            when p.found.clustered_stderr is not null then 'paired, clustered'
            when p.found.paired_stderr is not null then 'paired'
            when p.found.bootstrap_stderr is not null then 'bootstrap'
            when isfinite(d.value_stderr) and isfinite(d.baseline_stderr)
                then case when d.is_binomial then 'binomial' else 'unpaired' end
        end as stderr_kind
    from with_errors d
    left join pairs p using (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    )
    left join chance_levels c using (task, metric)
    left join due
        on due.model_id = d.model_id and due.conditions is not distinct from d.conditions and due.task = d.task
),
with_stderr as (
    select
        * exclude (is_due)
            replace (case when is_due then 'not compared yet' else unpaired_because end as unpaired_because),
        case stderr_kind
            when 'paired, clustered' then greatest(clustered_stderr, paired_stderr)
            when 'paired' then paired_stderr
            when 'bootstrap' then bootstrap_stderr
            else unpaired_stderr
        end as stderr,
        case
            when not isfinite(delta) or stderr_kind is null then null
            when stderr_kind = 'paired, clustered' then 'z, clustered'
            when stderr_kind = 'paired' and mcnemar_p is not null then 'McNemar, exact'
            when stderr_kind = 'bootstrap' then 'bootstrap'
            when stderr_kind = 'paired' then 'z, paired'
            when stderr_kind = 'binomial' then 'z, binomial'
            else 'z, unpaired'
        end as test
    from evidence
),
tested as (
    select
        *,
        case
            when not isfinite(delta) then null
            when stderr_kind = 'bootstrap' then bootstrap_low
            else delta - 1.959963984540054 * stderr
        end as ci_low,
        case
            when not isfinite(delta) then null
            when stderr_kind = 'bootstrap' then bootstrap_high
            else delta + 1.959963984540054 * stderr
        end as ci_high,
        case
            when test = 'McNemar, exact' then mcnemar_p
            when test = 'bootstrap' then bootstrap_p
            when stderr = 0 and delta = 0 and test is not null then 1
            when stderr = 0 then null
            else normal_p(delta / stderr)
        end as p_value
    from with_stderr
),
-- Holm's correction, over the headline benchmarks of a width that have a p value. The others go through the same
-- windows, in partitions of their own: so a filter on a model, or on headlines, reaches the tables.
ranked as (
    select
        *,
        least(1, p_value * (
            1 + count(*) over the_table - row_number() over (the_table order by p_value, position, task)
        )) as p_stepped
    from tested
    window the_table as (
        partition by
            model, model_id, method, conditions, pruning_pct, intermediate_size, is_headline, p_value is not null
    )
),
corrected as (
    select
        *,
        case when is_headline and p_value is not null then
            max(p_stepped) over (
                partition by
                    model, model_id, method, conditions, pruning_pct, intermediate_size, is_headline,
                    p_value is not null
                order by p_value, position, task
                rows between unbounded preceding and current row
            )
        end as p_holm
    from ranked
)
select
    model,
    method,
    pruning_pct,
    task,
    metric,
    value,
    baseline,
    delta,
    delta_pct,
    improved,
    stderr,
    stderr_kind,
    ci_low,
    ci_high,
    100 * ci_low / nullif(abs(baseline), 0) as ci_low_pct,
    100 * ci_high / nullif(abs(baseline), 0) as ci_high_pct,
    p_value,
    case when p_value is not null then test end as p_kind,
    p_holm,
    case
        when p_holm is null or improved is null then null
        when p_holm > 0.05 then 'noise'
        when improved then 'gain'
        else 'loss'
    end as verdict,
    pairs,
    lost,
    gained,
    agreement,
    chance,
    case
        when higher_is_better and baseline - chance > coalesce(1.959963984540054 * baseline_stderr, 0) then
            100 * (value - chance) / (baseline - chance)
    end as retained_pct,
    * exclude (
        model, method, pruning_pct, task, metric, value, baseline, delta, delta_pct, improved, stderr, stderr_kind,
        ci_low, ci_high, p_value, p_holm, pairs, lost, gained, agreement, chance, test, p_stepped,
        bootstrap_low, bootstrap_high, bootstrap_p
    )
from corrected;
comment on view delta_statistics is
    'One row is one change against the unpruned model with its uncertainty: interval, p value, flips and chance level.';
comment on column delta_statistics.stderr is 'Standard error of delta, the best there is; stderr_kind says which.';
comment on column delta_statistics.stderr_kind is
    'paired; paired, clustered (the tasks of a group as clusters); bootstrap; unpaired; binomial (unpaired, from the '
    'number of questions); null if none can be given.';
comment on column delta_statistics.ci_low is 'Lower end of the 95 % interval of delta.';
comment on column delta_statistics.ci_high is 'Upper end of the 95 % interval of delta.';
comment on column delta_statistics.ci_low_pct is 'ci_low in percent of the baseline''s magnitude.';
comment on column delta_statistics.ci_high_pct is 'ci_high in percent of the baseline''s magnitude.';
comment on column delta_statistics.p_value is 'Two-sided p value of no change, before any correction.';
comment on column delta_statistics.p_kind is
    'McNemar, exact; z, clustered; z, paired; bootstrap; z, unpaired; z, binomial; null if there is no p value.';
comment on column delta_statistics.p_holm is
    'p_value after Holm''s correction over the headline benchmarks of the same width; null for other metrics.';
comment on column delta_statistics.verdict is 'gain or loss where p_holm is at most 0.05, else noise.';
comment on column delta_statistics.pairs is 'Documents that both widths were scored on; null if not paired.';
comment on column delta_statistics.lost is 'Questions right before and wrong after.';
comment on column delta_statistics.gained is 'Questions wrong before and right after.';
comment on column delta_statistics.agreement is 'Share of documents that got the same answer from both widths.';
comment on column delta_statistics.chance is 'What guessing scores.';
comment on column delta_statistics.retained_pct is
    'Percent of the baseline''s distance from chance that is left; null where it is not clear of chance.';
comment on column delta_statistics.unpaired_because is
    'Why the documents are not paired; null where they are. Not compared yet: prune-tui merge does it.';
comment on column delta_statistics.unpaired_stderr is
    'Standard error with the two values taken as independent: sqrt(a^2 + b^2).';
comment on column delta_statistics.value_stderr is
    'Standard error of value: as reported; where none was, from the number of questions (stderr_kind: binomial).';
comment on column delta_statistics.baseline_stderr is 'Standard error of baseline, in the same way.';
comment on column delta_statistics.questions is
    'How many questions the benchmark has, where the result does not say how many it was scored on.';

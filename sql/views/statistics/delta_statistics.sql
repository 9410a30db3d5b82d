-- One row is one row of baseline_deltas with all that can be said about the change's uncertainty. The best evidence
-- there is decides, in this order: the same documents' differences (with the tasks of a group as clusters), resampled
-- pairs of documents for metrics that are no means, for shares of questions the binomial errors, from their number, and
-- the two reported standard errors taken as independent; `stderr_kind` and `p_kind` say which.
-- docs/statistics.md has the formulas.
-- needs: baseline_deltas, binomial_stderr, chance_levels, difference_stderr, fieller_middle, fieller_pct
-- needs: holm_step, is_perplexity, is_share, is_share_stderr, normal_p, question_counts, questions_behind
-- needs: share_of_more, stderr_of_more, z95
create or replace view delta_statistics as
with
counted as (
    select
        d.*,
        case
            when d.value_stderr is null or d.baseline_stderr is null
                then questions_behind(d.n, d.metric, d.conditions, q.questions)
            when is_share(d.metric) and is_share_stderr(d.value, d.value_stderr, d.n)
                and is_share_stderr(d.baseline, d.baseline_stderr, d.n) then d.n
        end as questions
    from baseline_deltas d
    left join question_counts q using (task)
),
with_errors as (
    select
        * replace (
            coalesce(nullif(value_stderr, case when questions > 0 then 0 end), binomial_stderr(value, questions))
                as value_stderr,
            coalesce(nullif(baseline_stderr, case when questions > 0 then 0 end), binomial_stderr(baseline, questions))
                as baseline_stderr
        )
    from counted
),
-- One column, whatever is asked for: beside it DuckDB hashes the few rows of a model, not this large table.
pairs as (
    select
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level,
        {
            estimator: estimator, pairs: pairs, parts: parts, paired_stderr: paired_stderr,
            clustered_stderr: clustered_stderr, bootstrap_stderr: bootstrap_stderr, bootstrap_low: bootstrap_low,
            bootstrap_high: bootstrap_high, bootstrap_p: bootstrap_p, bootstrap_draws: bootstrap_draws,
            bootstrap_scale: bootstrap_scale, lost: lost, gained: gained, mcnemar_p: mcnemar_p,
            share_low: share_low, share_high: share_high, share_p: share_p,
            answers: answers, agreement: agreement, unpaired_because: problem
        } as found
    from paired_deltas
),
due as (
    select distinct model_id, conditions, task, true as is_due from pairing_due
),
evidence as (
    select
        d.* exclude (stderr, chance),
        difference_stderr(d.value_stderr, d.baseline_stderr) as unpaired_stderr,
        unnest(p.found),
        (p.found is null and d.baseline is not null and due.is_due)
            or (p.found.lost is not null and p.found.share_low is null) as is_due,
        coalesce(d.chance, c.chance) as chance,
        -- A distance to the unpruned model is zero there: that it is more is no finding.
        case
            when d.kind = 'damage' then null
            when p.found.clustered_stderr is not null then 'paired, clustered'
            when p.found.paired_stderr is not null then 'paired'
            when p.found.bootstrap_stderr is not null then 'bootstrap'
            when d.questions > 0 and d.value between 0 and 1 and d.baseline between 0 and 1 then 'binomial'
            when isfinite(d.value_stderr) and isfinite(d.baseline_stderr) then 'unpaired'
        end as stderr_kind,
        case when is_perplexity(d.metric) and d.value > 0 and d.baseline > 0 then d.value / d.baseline end as factor
    from with_errors d
    left join pairs p using (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    )
    left join chance_levels c using (task, metric)
    left join due
        on due.model_id = d.model_id and due.conditions is not distinct from d.base_conditions and due.task = d.task
),
-- `of_shares`: right or wrong, so that the interval is that of two shares of the same questions. Of a group only where its
-- aggregate is the share of all its questions.
kinds as (
    select
        * exclude (is_due)
            replace (case when is_due then 'not compared yet' else unpaired_because end as unpaired_because),
        share_low is not null and estimator in ('mean', 'mean by size') as of_shares,
        case
            when stderr_kind = 'bootstrap' and bootstrap_scale = 'ln' then bootstrap_stderr
            when stderr_kind = 'unpaired' and factor is not null
                then sqrt((value_stderr / value) ** 2 + (baseline_stderr / baseline) ** 2)
        end as log_stderr,
        greatest(clustered_stderr, paired_stderr) as mean_stderr,
        case
            when not isfinite(delta) or stderr_kind is null then null
            when lost is not null and share_low is null then null
            when stderr_kind = 'paired, clustered' then case when of_shares then 'score, clustered' else 'z, clustered' end
            when stderr_kind = 'paired' then case when of_shares then 'score, paired' else 'z, paired' end
            when stderr_kind = 'bootstrap' then 'bootstrap'
            when stderr_kind = 'binomial' then 'z, binomial'
            else 'z, unpaired'
        end as test
    from evidence
),
-- Nothing flipped, or everything: the flips themselves have no spread, the interval of the two shares has a width.
with_stderr as (
    select
        *,
        case stderr_kind
            when 'paired, clustered' then
                case when mean_stderr = 0 and of_shares then (share_high - share_low) / (2 * z95()) else mean_stderr end
            when 'paired' then
                case when mean_stderr = 0 and of_shares then (share_high - share_low) / (2 * z95()) else mean_stderr end
            when 'bootstrap' then case when bootstrap_scale = 'ln' then value * log_stderr else bootstrap_stderr end
            when 'unpaired' then case when factor is not null then value * log_stderr else unpaired_stderr end
            else unpaired_stderr
        end as stderr,
        case
            when log_stderr is null then null
            when stderr_kind = 'bootstrap' then bootstrap_low
            else ln(factor) - z95() * log_stderr
        end as log_low,
        case
            when log_stderr is null then null
            when stderr_kind = 'bootstrap' then bootstrap_high
            else ln(factor) + z95() * log_stderr
        end as log_high,
        case when stderr_kind = 'binomial' then
            share_of_more(value, questions) - share_of_more(baseline, questions)
        end as shares_delta,
        case when stderr_kind = 'binomial' then
            sqrt(stderr_of_more(value, questions) ** 2 + stderr_of_more(baseline, questions) ** 2)
        end as shares_stderr
    from kinds
),
-- What of these is referred to the normal distribution: in one column, since normal_p is long, and is bound wherever it stands.
with_z as (
    select
        *,
        case
            when test = 'score, clustered' then case when mean_stderr > 0 then delta / mean_stderr end
            when test = 'z, binomial' then shares_delta / shares_stderr
            when log_stderr > 0 then ln(factor) / log_stderr
            when stderr > 0 and log_stderr is null then delta / stderr
        end as z
    from with_stderr
),
-- A z test and the interval around it are one; so are the two of 'score', of 'bootstrap' and of 'binomial'. Where the score
-- test and that of a group's clusters both have to reject, what one of them does not reject is in the interval.
tested as (
    select
        *,
        case
            when test is null then null
            when log_stderr is not null then baseline * (exp(log_low) - 1)
            when test = 'score, paired' then share_low
            when test = 'score, clustered' then least(share_low, delta - z95() * mean_stderr)
            when test = 'bootstrap' then bootstrap_low
            when test = 'z, binomial' then greatest(-1, shares_delta - z95() * shares_stderr)
            when stderr > 0 or delta = 0 then delta - z95() * stderr
        end as ci_low,
        case
            when test is null then null
            when log_stderr is not null then baseline * (exp(log_high) - 1)
            when test = 'score, paired' then share_high
            when test = 'score, clustered' then greatest(share_high, delta + z95() * mean_stderr)
            when test = 'bootstrap' then bootstrap_high
            when test = 'z, binomial' then least(1, shares_delta + z95() * shares_stderr)
            when stderr > 0 or delta = 0 then delta + z95() * stderr
        end as ci_high,
        case
            when test is null then null
            when test = 'score, paired' then share_p
            when test = 'score, clustered' then greatest(share_p, case
                when mean_stderr > 0 then p_of_z when delta = 0 then 1 else 0
            end)
            when test = 'bootstrap' then bootstrap_p
            when test = 'z, binomial' or log_stderr > 0 then p_of_z
            when delta = 0 and stderr = 0 then 1
            when stderr > 0 and log_stderr is null then p_of_z
            -- Every document changed by the same: the sign test is left.
            when stderr = 0 and stderr_kind in ('paired', 'paired, clustered') then least(1, 2 * 0.5::double ** pairs)
        end as p_value
    from (select *, normal_p(z) as p_of_z from with_z)
),
relative as (
    select
        *,
        fieller_pct(middle_low, clear, rest, baseline, -1) as low_pct,
        fieller_pct(middle_high, clear, rest, baseline, 1) as high_pct
    from (
        select
            *,
            fieller_middle(value, value_stderr, baseline, baseline_stderr, ci_low) as middle_low,
            fieller_middle(value, value_stderr, baseline, baseline_stderr, ci_high) as middle_high,
            baseline ** 2 - (z95() * baseline_stderr) ** 2 as clear,
            value ** 2 - (z95() * value_stderr) ** 2 as rest
        from tested
    )
),
-- Holm's correction, over the headline benchmarks of a width that have a p value: `p_holm`; and over those of all widths
-- of the table: `p_table`, for whoever says something of several levels at once. The others go through the same
-- windows, in partitions of their own: so a filter on a model, or on headlines, reaches the tables.
ranked as (
    select
        *,
        holm_step(
            p_value, count(*) over the_width, row_number() over (the_width order by p_value, position, task)
        ) as p_stepped,
        holm_step(
            p_value, count(*) over the_table,
            row_number() over (the_table order by p_value, pruning_pct, position, task)
        ) as p_stepped_table
    from relative
    window
        the_width as (
            partition by
                model, model_id, method, repair, conditions, pruning_pct, intermediate_size, is_headline, p_value is not null
        ),
        the_table as (partition by model, model_id, method, repair, conditions, is_headline, p_value is not null)
),
corrected as (
    select
        *,
        case when is_headline and p_value is not null then
            max(p_stepped) over (
                partition by
                    model, model_id, method, repair, conditions, pruning_pct, intermediate_size, is_headline,
                    p_value is not null
                order by p_value, position, task
                rows between unbounded preceding and current row
            )
        end as p_holm,
        case when is_headline and p_value is not null then
            max(p_stepped_table) over (
                partition by model, model_id, method, repair, conditions, is_headline, p_value is not null
                order by p_value, pruning_pct, position, task
                rows between unbounded preceding and current row
            )
        end as p_table
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
    repair,
    stderr_kind,
    ci_low,
    ci_high,
    case
        when log_stderr is not null then 100 * (exp(log_low) - 1)
        when low_pct is not null then case when ci_low > 0 then greatest(0, low_pct) else least(0, low_pct) end
    end as ci_low_pct,
    case
        when log_stderr is not null then 100 * (exp(log_high) - 1)
        when high_pct is not null then case when ci_high > 0 then greatest(0, high_pct) else least(0, high_pct) end
    end as ci_high_pct,
    p_value,
    case when p_value is not null then test end as p_kind,
    p_holm,
    case
        when p_holm is null or improved is null then null
        when p_holm > 0.05 then 'noise'
        when improved then 'gain'
        else 'loss'
    end as verdict,
    p_table,
    case
        when p_table is null or improved is null then null
        when p_table > 0.05 then 'noise'
        when improved then 'gain'
        else 'loss'
    end as table_verdict,
    factor,
    exp(log_low) as factor_low,
    exp(log_high) as factor_high,
    log_stderr,
    pairs,
    lost,
    gained,
    agreement,
    chance,
    case
        when higher_is_better and isfinite(baseline)
            and baseline - chance > coalesce(z95() * baseline_stderr, 0) then
            100 * (value - chance) / (baseline - chance)
    end as retained_pct,
    * exclude (
        model, method, repair, pruning_pct, task, metric, value, baseline, delta, delta_pct, improved, stderr, stderr_kind,
        ci_low, ci_high, p_value, p_holm, p_table, factor, log_stderr, pairs, lost, gained, agreement, chance, test,
        p_stepped, p_stepped_table, bootstrap_low, bootstrap_high, bootstrap_p, bootstrap_scale,
        share_low, share_high, share_p, of_shares, mean_stderr, log_low, log_high, shares_delta,
        shares_stderr, z, p_of_z, low_pct, high_pct, middle_low, middle_high, clear, rest
    )
from corrected;
comment on view delta_statistics is
    'One row is one change against the unpruned model with its uncertainty: interval, p value, flips and chance level.';
comment on column delta_statistics.stderr is 'Standard error of delta, the best there is; stderr_kind says which.';
comment on column delta_statistics.factor_low is 'Lower end of its 95 % interval.';
comment on column delta_statistics.factor_high is 'Upper end of its 95 % interval.';
comment on column delta_statistics.p_kind is
    'score, paired; score, clustered; z, clustered; z, paired; bootstrap; z, unpaired; z, binomial; null if there is no '
    'p value.';
comment on column delta_statistics.pairs is 'Documents that both widths were scored on; null if not paired.';
comment on column delta_statistics.lost is 'Questions right before and wrong after.';
comment on column delta_statistics.gained is 'Questions wrong before and right after.';
comment on column delta_statistics.agreement is 'Share of documents that got the same answer from both widths.';
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
    'How many questions both scores are shares of, where no other error is reported than a share''s own; else null.';
comment on column delta_statistics.mcnemar_p is
    'McNemar''s exact test, two-sided, on lost and gained; null where they are. p_value is of another test.';
comment on column delta_statistics.answers is 'Pairs in which both answers are known; null where not paired.';
comment on column delta_statistics.estimator is
    'How the documents'' values make the metric, as in paired_deltas; null where not paired.';
comment on column delta_statistics.parts is
    'Tasks that a group''s aggregate is made of; null for a task, or where not paired.';
comment on column delta_statistics.bootstrap_draws is 'Resamples drawn, from a fixed seed; null where none were.';
comment on column delta_statistics.paired_stderr is
    'Standard error of the mean of the documents'' differences; null where not paired, or the metric is no mean.';
comment on column delta_statistics.clustered_stderr is
    'The same with the tasks of a group taken as clusters; null for a task.';
comment on column delta_statistics.bootstrap_stderr is
    'Standard deviation over the resamples, on the scale that was resampled; null where there are none.';

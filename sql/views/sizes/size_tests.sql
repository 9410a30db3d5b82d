-- One row is one benchmark of two models, the smaller first, compared by one measure: the change in points or in percent
-- of each one's own baseline (which size loses more?), or the score itself. They meet at the same percentage, the
-- same expansion ratio (to two decimals), or the same number of parameters: for each width of the smaller, the nearest
-- width of the larger, no more than 5 % off. The test is z on the difference, the two models' errors taken as independent;
-- of perplexities, which have no points, on the logarithm of their ratio, whose interval is told in the amounts' units;
-- Holm's correction is over the benchmarks of one such table. Base models meet base models and tuned ones tuned ones,
-- unless both are asked for by name. As a macro with models to choose: whatever is asked of the
-- view, DuckDB computes all models' first.
-- needs: binomial_stderr, delta_statistics, difference_stderr, difference_tests_from, headline_metrics, is_perplexity
-- needs: pct_stderr, question_counts, questions_behind, size_pairs_from, z95
create or replace macro size_tests_of(models) as table
with
changes as materialized (
    from delta_statistics
    where is_headline and (models is null or list_contains(models, model_id))
),
scores as (
    select
        h.* exclude (stderr),
        questions_behind(h.n, h.metric, h.conditions, q.questions) as questions,
        -- A share of 0 or 1 is reported with an error of 0.
        case when h.stderr > 0 or questions is null then h.stderr else binomial_stderr(h.value, questions) end as stderr,
        case when h.stderr > 0 or questions is null then 'reported' else 'binomial' end as stderr_kind
    from headline_metrics h
    left join question_counts q using (task)
    where models is null or list_contains(models, h.model_id)
),
measures as (
    select
        model_id, method, repair, conditions, task, metric, filter, num_fewshot, version, model, benchmark, position,
        higher_is_better, pruning_pct, intermediate_size, expansion_ratio, parameters,
        'points' as measure, delta as amount, stderr, stderr_kind, null::double as factor, null::double as log_stderr
    from changes
    where not is_perplexity(metric)
    union all
    select
        model_id, method, repair, conditions, task, metric, filter, num_fewshot, version, model, benchmark, position,
        higher_is_better, pruning_pct, intermediate_size, expansion_ratio, parameters,
        'percent', delta_pct,
        case
            when factor is not null then 100 * factor * log_stderr
            else pct_stderr(value, value_stderr, baseline, baseline_stderr, stderr)
        end,
        stderr_kind, factor, log_stderr
    from changes
    union all
    select
        model_id, method, repair, conditions, task, metric, filter, num_fewshot, version, model, benchmark, position,
        higher_is_better, pruning_pct, intermediate_size, expansion_ratio, parameters,
        'score', value, stderr, stderr_kind,
        case when is_perplexity(metric) and value > 0 then value end as factor,
        case when is_perplexity(metric) and value > 0 then stderr / value end
    from scores
),
finite as (
    select
        * exclude (amount, stderr, stderr_kind, factor, log_stderr),
        {amount: amount, stderr: stderr, stderr_kind: stderr_kind, factor: factor, log_stderr: log_stderr} as numbers
    from measures
    where isfinite(amount)
),
pairs as (
    select
        * exclude (smaller_numbers, larger_numbers),
        100 * (larger_parameters / smaller_parameters - 1) as parameters_off_pct,
        smaller_numbers.amount as smaller_amount,
        smaller_numbers.stderr as smaller_stderr,
        case when smaller_numbers.stderr is not null then smaller_numbers.stderr_kind end as smaller_stderr_kind,
        smaller_numbers.factor as smaller_factor,
        smaller_numbers.log_stderr as smaller_log_stderr,
        larger_numbers.amount as larger_amount,
        larger_numbers.stderr as larger_stderr,
        case when larger_numbers.stderr is not null then larger_numbers.stderr_kind end as larger_stderr_kind,
        larger_numbers.factor as larger_factor,
        larger_numbers.log_stderr as larger_log_stderr,
        case measure when 'percent' then 100 else 1 end as unit
    from size_pairs_from('finite', models is not null)
),
pairs_of_numbers as (
    select
        *,
        (
            basis, basis_value, measure, smaller_id, larger_id, method, repair, conditions, smaller_pruning_pct,
            larger_pruning_pct
        ) as table_key,
        smaller_amount as first_amount, larger_amount as second_amount,
        smaller_factor as first_factor, larger_factor as second_factor,
        sqrt(smaller_log_stderr ** 2 + larger_log_stderr ** 2) as ratio_stderr_apart,
        difference_stderr(smaller_stderr, larger_stderr) as stderr_apart,
        -- Models are not compared question by question.
        unnest({
            estimator: null::varchar, paired_stderr: null::double, clustered_stderr: null::double,
            bootstrap_stderr: null::double, bootstrap_scale: null::varchar, bootstrap_low: null::double,
            bootstrap_high: null::double, bootstrap_p: null::double, share_low: null::double, share_high: null::double,
            share_p: null::double, scale: null::double
        })
    from pairs
)
select
    basis,
    basis_value,
    measure,
    benchmark,
    smaller,
    larger,
    smaller_pruning_pct,
    larger_pruning_pct,
    smaller_amount,
    case
        when smaller_factor is not null
            then smaller_amount + unit * smaller_factor * (exp(-z95() * smaller_log_stderr) - 1)
        else smaller_amount - z95() * smaller_stderr
    end as smaller_low,
    case
        when smaller_factor is not null
            then smaller_amount + unit * smaller_factor * (exp(z95() * smaller_log_stderr) - 1)
        else smaller_amount + z95() * smaller_stderr
    end as smaller_high,
    larger_amount,
    case
        when larger_factor is not null
            then larger_amount + unit * larger_factor * (exp(-z95() * larger_log_stderr) - 1)
        else larger_amount - z95() * larger_stderr
    end as larger_low,
    case
        when larger_factor is not null
            then larger_amount + unit * larger_factor * (exp(z95() * larger_log_stderr) - 1)
        else larger_amount + z95() * larger_stderr
    end as larger_high,
    difference,
    stderr,
    ci_low,
    ci_high,
    p_value,
    p_holm,
    case better_off when 'first' then 'smaller' when 'second' then 'larger' else better_off end as better_off,
    smaller_parameters,
    larger_parameters,
    parameters_off_pct,
    higher_is_better,
    method,
    repair,
    conditions,
    task,
    metric,
    filter,
    num_fewshot,
    version,
    position,
    smaller_id,
    larger_id,
    smaller_stderr_kind,
    larger_stderr_kind
from difference_tests_from('pairs_of_numbers');
comment on macro table size_tests_of is 'size_tests of these models (a list of model_id) alone; null for all.';
create or replace view size_tests as from size_tests_of(null::varchar[]);
comment on view size_tests is 'One row is one benchmark of two models at matching widths: which is better off, by a test.';
comment on column size_tests.basis is 'What is equal: percentage, expansion ratio, or parameters (within 5 %).';
comment on column size_tests.measure is 'points or percent: change against each one''s own baseline; score: the value itself.';
comment on column size_tests.difference is 'larger_amount - smaller_amount.';
comment on column size_tests.stderr is
    'Of the difference; percentages'' by the delta method, perplexities'' from that of their ratio''s logarithm.';
comment on column size_tests.p_holm is 'p_value after Holm''s correction over the benchmarks of one table.';
comment on column size_tests.better_off is
    'larger or smaller: the model that loses less (or scores better) where p_holm is at most 0.05, else noise.';
comment on column size_tests.smaller_stderr_kind is
    'Where smaller_amount''s error is from: reported or binomial for a score, as in delta_statistics for a change.';
comment on column size_tests.larger_stderr_kind is 'The same of larger_amount.';
comment on column size_tests.smaller is 'The model with fewer parameters, unpruned: its name.';
comment on column size_tests.smaller_pruning_pct is
    'Share of the MLP neurons removed from the smaller model, in percent.';
comment on column size_tests.smaller_parameters is
    'Parameters of the smaller model at that width; null where that is not known.';
comment on column size_tests.larger is 'The model with more parameters, unpruned: its name.';
comment on column size_tests.larger_pruning_pct is
    'Share of the MLP neurons removed from the larger model, in percent.';
comment on column size_tests.larger_parameters is
    'Parameters of the larger model at that width; null where that is not known.';
comment on column size_tests.smaller_id is 'model_id of the smaller model.';
comment on column size_tests.smaller_amount is
    'What measure says, of the smaller model: in points as a fraction (0.01 is one), in percent, or the score in its own unit.';
comment on column size_tests.smaller_low is 'Lower end of its 95 % interval; null where no error is known.';
comment on column size_tests.smaller_high is 'Upper end of its 95 % interval; null where no error is known.';
comment on column size_tests.larger_id is 'model_id of the larger model.';
comment on column size_tests.larger_amount is
    'What measure says, of the larger model: in points as a fraction (0.01 is one), in percent, or the score in its own unit.';
comment on column size_tests.larger_low is 'Lower end of its 95 % interval; null where no error is known.';
comment on column size_tests.larger_high is 'Upper end of its 95 % interval; null where no error is known.';
comment on column size_tests.basis_value is
    'The percentage, the ratio to two decimals, or the smaller model''s parameters.';
comment on column size_tests.ci_low is
    'Lower end of the 95 % interval of difference, not corrected for several benchmarks; null where an error is unknown.';
comment on column size_tests.ci_high is 'Upper end of the same interval.';
comment on column size_tests.p_value is
    'Two-sided p value of no difference, before any correction; null where an error is unknown.';
comment on column size_tests.parameters_off_pct is
    'How many more parameters the larger model has, in percent of the smaller one''s.';

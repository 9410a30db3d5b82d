-- One row is one metric of two methods, repairs or calibrations of one model at the same percentage: which of them loses
-- more, by a test, as Compare has it. Headline metrics, and both metrics of damage. As a macro with models to choose:
-- whatever is asked of the view, DuckDB computes all models' first.
-- needs: basis_value, delta_statistics, difference_tests_from, subject_pairs_from
create or replace macro method_tests_of(models) as table
with
changes as (
    select
        * replace (value_stderr as stderr),
        stderr as delta_stderr,
        basis_value('percentage', pruning_pct, null) as basis_value,
        concat_ws('|', model_id, method, repair, coalesce(conditions, '')) as subject
    from delta_statistics
    where (is_headline or kind = 'damage') and (models is null or list_contains(models, model_id))
),
matched as (from subject_pairs_from('changes', false))
select
    first_model as model,
    basis_value as pruning_pct,
    benchmark,
    metric,
    first_method,
    first_repair,
    second_method,
    second_repair,
    measure,
    first_amount,
    second_amount,
    difference,
    stderr,
    ci_low,
    ci_high,
    p_value,
    p_kind,
    p_holm,
    case better_off when 'first' then 'second' when 'second' then 'first' else better_off end as loses_more,
    pairs,
    first_only,
    second_only,
    unpaired_because,
    higher_is_better,
    task,
    filter,
    num_fewshot,
    version,
    position,
    first_conditions,
    second_conditions,
    first_id as model_id
from difference_tests_from('matched');
comment on macro table method_tests_of is 'method_tests of these models (a list of model_id) alone; null for all.';
create or replace view method_tests as from method_tests_of(null::varchar[]);
comment on view method_tests is
    'One row is one metric of two methods, repairs or calibrations of one model at the same percentage: which loses more, by a test.';
comment on column method_tests.first_method is 'Method of the first of the two.';
comment on column method_tests.first_repair is 'Repair of the first of the two: none, or lsq.';
comment on column method_tests.second_method is 'Method of the second of the two.';
comment on column method_tests.second_repair is 'Repair of the second of the two: none, or lsq.';
comment on column method_tests.measure is
    'percent: change against the unpruned model, in percent of it; value: the metric itself, of damage.';
comment on column method_tests.first_amount is 'What measure says, of the first of the two.';
comment on column method_tests.second_amount is 'What measure says, of the second of the two.';
comment on column method_tests.difference is 'second_amount - first_amount.';
comment on column method_tests.stderr is 'Of the difference; perplexities'' from that of their ratio''s logarithm.';
comment on column method_tests.ci_low is
    'Lower end of the 95 % interval of difference, not corrected for several comparisons; null where an error is unknown.';
comment on column method_tests.ci_high is 'Upper end of the same interval.';
comment on column method_tests.p_value is
    'Two-sided p value of no difference, before any correction; null where an error is unknown.';
comment on column method_tests.p_kind is
    'Which test: bootstrap, or score or z, with paired or clustered where the same documents were compared, else z, independent.';
comment on column method_tests.p_holm is
    'p_value after Holm''s correction: of scores over the benchmarks of the two, of damage over all pairs of methods at that percentage.';
comment on column method_tests.loses_more is
    'first or second: which of them is further from the unpruned model where p_holm is at most 0.05, else noise.';
comment on column method_tests.pairs is 'Documents that both were scored on; null if not paired.';
comment on column method_tests.unpaired_because is 'Why documents were not paired; null where they were, or there were none.';
comment on column method_tests.first_only is 'Questions that only the first answered rightly; null where documents are not right or wrong.';
comment on column method_tests.second_only is 'Questions that only the second answered rightly; null where documents are not right or wrong.';
comment on column method_tests.first_conditions is 'conditions of the first of the two: they differ in the text that neurons were looked at on.';
comment on column method_tests.second_conditions is 'conditions of the second of the two.';

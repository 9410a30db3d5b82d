-- One row is one benchmark of two of the chosen subjects at the same percentage, expansion ratio (to two decimals) or
-- parameters (in steps of 5 percent): which of them loses more, by a test. Two models are compared by the change in percent of each one's own
-- baseline, as size_tests does; two methods, repairs or calibrations of one model, whose baseline is the same, by their
-- scores in percent of it.
-- Methods are compared question by question where paired_methods could; difference_tests_from has the tests.
with
deltas as (/* matrix_rows */),
changes as (
    select *, basis_value($basis, pruning_pct, expansion_ratio, parameters) as basis_value
    from deltas
    where not unpruned and (isfinite(delta_pct) or kind = 'damage')
    qualify $basis <> 'parameters' or row_number() over (
        partition by basis_value, subject, task, metric, filter, num_fewshot, version
        order by abs(parameters - basis_value)
    ) = 1
),
matched as (from subject_pairs_from('changes', true))
select
    basis_value,
    benchmark,
    metric,
    first_model,
    first_method,
    first_repair,
    second_model,
    second_method,
    second_repair,
    first_pruning_pct,
    second_pruning_pct,
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
    conditions,
    first_id,
    second_id,
    first_subject,
    second_subject
from difference_tests_from('matched')
order by basis_value, first_subject, second_subject, position, benchmark, task, num_fewshot, version;

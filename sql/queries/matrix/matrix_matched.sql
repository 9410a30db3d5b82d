-- One row is one benchmark of one model at a percentage, an expansion ratio (to two decimals) or a number of parameters
-- (in steps of 5 percent, of each model the width nearest to it), that at least two of the chosen models were measured
-- at; `rank` 1 has the best value there.
with
deltas as (/* matrix_rows */),
matched as (
    select
        *,
        basis_value($basis, pruning_pct, expansion_ratio, parameters) as basis_value
    from deltas
    qualify $basis <> 'parameters' or row_number() over (
        partition by basis_value, subject, task, metric, filter, num_fewshot, version
        order by abs(parameters - basis_value)
    ) = 1
)
select
    $basis as basis,
    basis_value,
    benchmark,
    metric,
    model,
    method,
    repair,
    value,
    case when unpruned then 0 else delta_pct end as delta_pct,
    case when unpruned then 0 else delta end as delta,
    improved,
    verdict,
    p_value,
    ci_low_pct,
    ci_high_pct,
    delta_stderr,
    stderr,
    chance,
    rank() over (
        partition by basis_value, task, metric, filter, num_fewshot, version
        order by case when higher_is_better then -value else value end
    ) as rank,
    pruning_pct,
    expansion_ratio,
    intermediate_size,
    parameters,
    unpruned,
    kind,
    task,
    filter,
    num_fewshot,
    version,
    higher_is_better,
    position,
    conditions,
    model_id,
    subject
from matched
where basis_value is not null
qualify count(distinct subject) over (partition by basis_value) > 1
order by basis_value, position, benchmark, task, num_fewshot, version, model, method, repair <> 'none',
    repair, subject;

-- One row is one number of two models side by side, the smaller first: rows of a relation by its name, with what they say
-- in a struct `numbers`, at matching widths, with the same method, repair, conditions, shots and task version. Base models meet
-- base models and tuned ones tuned ones, unless `of_any_kind`. They meet at the same percentage, the same expansion ratio
-- (to two decimals), or, by their scores, at the same number of parameters: for each width of the smaller, the nearest width
-- of the larger, no more than 5 % off.
-- needs: basis_value, model_sizes
create or replace macro size_pairs_from(rows_name, of_any_kind) as table
with
sized as (
    select n.*, s.model_parameters, s.tuned from query_table(rows_name) n join model_sizes s using (model_id)
),
matched as (
    select 'percentage' as basis, basis_value('percentage', pruning_pct, null) as basis_value, * from sized
    union all
    select 'expansion ratio', basis_value('expansion ratio', null, expansion_ratio), * from sized
    union all
    select 'parameters', null, * from sized where measure = 'score'
)
select
    s.basis,
    coalesce(s.basis_value, s.parameters) as basis_value,
    s.measure,
    s.benchmark,
    s.model as smaller,
    l.model as larger,
    s.pruning_pct as smaller_pruning_pct,
    l.pruning_pct as larger_pruning_pct,
    s.expansion_ratio as smaller_expansion_ratio,
    l.expansion_ratio as larger_expansion_ratio,
    s.parameters as smaller_parameters,
    l.parameters as larger_parameters,
    s.numbers as smaller_numbers,
    l.numbers as larger_numbers,
    s.higher_is_better, s.method, s.repair, s.conditions, s.task, s.metric, s.filter, s.num_fewshot, s.version, s.position,
    s.model_id as smaller_id,
    l.model_id as larger_id
from matched s
join matched l
    on s.basis = l.basis
    and s.measure = l.measure
    and s.task = l.task
    and s.metric = l.metric
    and s.filter = l.filter
    and s.method = l.method
    and s.repair = l.repair
    and s.conditions is not distinct from l.conditions
    and s.num_fewshot is not distinct from l.num_fewshot
    and s.version is not distinct from l.version
    and (of_any_kind or s.tuned = l.tuned)
    and (s.model_parameters, s.model, s.model_id) < (l.model_parameters, l.model, l.model_id)
    and case
        when s.basis = 'parameters' then abs(l.parameters / s.parameters - 1) <= 0.05
        else s.basis_value = l.basis_value
    end
qualify s.basis <> 'parameters' or row_number() over (
    partition by s.basis, s.model_id, l.model_id, s.method, s.repair, s.conditions, s.parameters,
        s.task, s.metric, s.filter, s.num_fewshot, s.version
    order by abs(l.parameters - s.parameters), l.pruning_pct
) = 1;
comment on macro table size_pairs_from is
    'Two models side by side at matching widths, the smaller first, for the rows of a relation by its name.';

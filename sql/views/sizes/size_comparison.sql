-- One row is one benchmark of two models side by side, the smaller first: pruned by the same percentage, or pruned
-- to the same expansion ratio (to two decimals), with the same method, conditions, shots and task version: base models
-- with base models, tuned ones with tuned ones. Unpruned widths take part, with a delta of zero.
-- needs: baseline_deltas, basis_value, headline_metrics, is_tuned, run_models
create or replace view size_comparison as
with
scored as (
    select
        h.*,
        case when h.unpruned then h.parameters end as full_parameters,
        case when h.unpruned then 0 else d.delta_pct end as delta_pct
    from headline_metrics h
    left join baseline_deltas d
        on d.is_headline
        and d.run_id = h.run_id
        and d.level = h.level
        and d.task = h.task
        and d.method = h.method and d.repair = h.repair
),
kinds as (
    select model_id, bool_or(is_tuned(tuned, model)) as tuned from run_models group by model_id
),
sized as (
    select s.*, max(full_parameters) over (partition by model_id) as model_parameters, k.tuned
    from scored s
    join kinds k using (model_id)
),
matched as (
    select 'percentage' as basis, basis_value('percentage', pruning_pct, null) as basis_value, * from sized
    union all
    select 'expansion ratio', basis_value('expansion ratio', null, expansion_ratio), * from sized
)
select
    s.basis,
    s.basis_value,
    s.benchmark,
    s.task,
    s.metric,
    s.method,
    s.repair,
    s.conditions,
    s.num_fewshot,
    s.model as smaller,
    l.model as larger,
    s.pruning_pct as smaller_pruning_pct,
    l.pruning_pct as larger_pruning_pct,
    s.expansion_ratio as smaller_expansion_ratio,
    l.expansion_ratio as larger_expansion_ratio,
    s.parameters as smaller_parameters,
    l.parameters as larger_parameters,
    s.value as smaller_value,
    l.value as larger_value,
    s.delta_pct as smaller_delta_pct,
    l.delta_pct as larger_delta_pct,
    s.position
from matched s
join matched l
    on s.basis = l.basis
    and s.basis_value = l.basis_value
    and s.task = l.task
    and s.metric = l.metric
    and s.filter = l.filter
    and s.method = l.method and s.repair = l.repair
    and s.conditions is not distinct from l.conditions
    and s.num_fewshot is not distinct from l.num_fewshot
    and s.version is not distinct from l.version
    and s.tuned = l.tuned
    and (s.model_parameters, s.model, s.model_id) < (l.model_parameters, l.model, l.model_id);
comment on view size_comparison is
    'One row is one benchmark of two models side by side, at equal percentage or at equal expansion ratio.';
comment on column size_comparison.basis is 'What is equal: percentage (of neurons removed) or expansion ratio.';
comment on column size_comparison.basis_value is 'The percentage, or the ratio to two decimals.';
comment on column size_comparison.smaller is 'The model with fewer parameters, unpruned: its name.';
comment on column size_comparison.smaller_pruning_pct is
    'Share of the MLP neurons removed from the smaller model, in percent.';
comment on column size_comparison.smaller_parameters is
    'Parameters of the smaller model at that width; null where that is not known.';
comment on column size_comparison.larger is 'The model with more parameters, unpruned: its name.';
comment on column size_comparison.larger_pruning_pct is
    'Share of the MLP neurons removed from the larger model, in percent.';
comment on column size_comparison.larger_parameters is
    'Parameters of the larger model at that width; null where that is not known.';
comment on column size_comparison.smaller_expansion_ratio is
    'intermediate_size / hidden_size of the smaller model at that width; null where that is not known.';
comment on column size_comparison.smaller_value is 'The metric of the smaller model, in its own unit.';
comment on column size_comparison.smaller_delta_pct is
    'Its change, in percent of the smaller model''s own baseline; 0 unpruned, null without a baseline.';
comment on column size_comparison.larger_expansion_ratio is
    'intermediate_size / hidden_size of the larger model at that width; null where that is not known.';
comment on column size_comparison.larger_value is 'The metric of the larger model, in its own unit.';
comment on column size_comparison.larger_delta_pct is
    'Its change, in percent of the larger model''s own baseline; 0 unpruned, null without a baseline.';

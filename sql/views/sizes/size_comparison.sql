-- One row is one benchmark of two models side by side, the smaller first: pruned by the same percentage, or pruned
-- to the same expansion ratio (to two decimals), with the same method, conditions, shots and task version: base models
-- with base models, tuned ones with tuned ones. Unpruned widths take part, with a delta of zero.
-- needs: baseline_deltas, headline_metrics, size_pairs_from
create or replace view size_comparison as
with scored as (
    select
        h.*,
        'value' as measure,
        {value: h.value, delta_pct: case when h.unpruned then 0 else d.delta_pct end} as numbers
    from headline_metrics h
    left join baseline_deltas d
        on d.is_headline
        and d.run_id = h.run_id
        and d.level = h.level
        and d.task = h.task
        and d.method = h.method and d.repair = h.repair
)
select
    basis,
    basis_value,
    benchmark,
    task,
    metric,
    method,
    repair,
    conditions,
    num_fewshot,
    smaller,
    larger,
    smaller_pruning_pct,
    larger_pruning_pct,
    smaller_expansion_ratio,
    larger_expansion_ratio,
    smaller_parameters,
    larger_parameters,
    smaller_numbers.value as smaller_value,
    larger_numbers.value as larger_value,
    smaller_numbers.delta_pct as smaller_delta_pct,
    larger_numbers.delta_pct as larger_delta_pct,
    position
from size_pairs_from('scored', false);
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

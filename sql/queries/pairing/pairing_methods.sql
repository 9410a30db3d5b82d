-- The pairs of methods that there are now: headline metrics, and both of damage, of one model pruned by two methods, or
-- repaired in two ways, or calibrated on two texts, at one percentage or one expansion ratio (to two decimals), as Compare
-- puts them side by side.
create or replace temp table pairing_methods as
select
    b.run_id, b.seq, b.level, b.task, b.metric, b.filter,
    a.run_id as baseline_run_id, a.seq as baseline_seq, a.level as baseline_level,
    b.is_group, b.value, a.value as baseline
from pairing_deltas a
join pairing_deltas b
    on b.model_id = a.model_id and b.base_conditions is not distinct from a.base_conditions
    and b.task = a.task and b.metric = a.metric and b.filter = a.filter
    and b.num_fewshot is not distinct from a.num_fewshot and b.version is not distinct from a.version
    and (a.method, a.repair <> 'none', a.repair, coalesce(a.conditions, ''))
        < (b.method, b.repair <> 'none', b.repair, coalesce(b.conditions, ''))
    and (
        a.pruning_pct = b.pruning_pct
        or basis_value('expansion ratio', null, a.expansion_ratio)
            = basis_value('expansion ratio', null, b.expansion_ratio)
    )
where (a.is_headline and b.is_headline) or a.kind = 'damage';

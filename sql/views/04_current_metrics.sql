-- One row is the latest value of one metric of one task at one width of a model: latest among all runs with the
-- same model, method, exact width, conditions, shots and task version. The unpruned width is the same whatever
-- the method, so it stands under each method that the model was pruned with under those conditions. A width that was
-- asked for in several ways (40, w4916) goes by one name: a percentage if there is one, else the latest.
create or replace view current_metrics as
with
variant as (
    select
        v.*,
        r.model_id,
        r.model,
        r.conditions,
        r.origin,
        coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned
    from variants v
    join run_models r using (run_id)
    qualify row_number() over (partition by r.model, r.model_id, v.run_id, v.level order by v.seq desc) = 1
),
named as (
    select
        *,
        case when not unpruned then method end as by_method,
        case when intermediate_size is null then pruning_pct end as by_pct,
        {
            level: first_value(level) over same_width, pct: first_value(pruning_pct) over same_width, method: method,
            expansion_ratio: expansion_ratio, parameters: parameters, bytes: bytes, origin: origin
        } as width
    from variant
    window same_width as (
        partition by
            model, model_id, intermediate_size, case when intermediate_size is null then pruning_pct end
        order by regexp_full_match(level, '[0-9.]+') desc, recorded_at desc
    )
),
pruned_by as (
    select distinct model_id, conditions, method from variant where not unpruned
),
-- Rows are told apart by few columns, and the rest is fetched for the latest only. Within a run the journal's
-- order counts, not the clock, which may have been set back in the meantime.
measured as (
    select
        v.model, v.model_id, v.unpruned, v.by_method, v.intermediate_size, v.by_pct, v.conditions,
        m.run_id, m.level, m.task, m.num_fewshot, m.version, m.metric, m.filter,
        max(m.seq) as seq,
        arg_max(m.recorded_at, m.seq) as recorded_at,
        arg_max(m.rowid, m.seq) as row_id,
        any_value(v.width) as width
    from metrics m
    join named v using (run_id, level)
    group by all
),
latest as (
    select
        model, model_id, unpruned, by_method, intermediate_size, by_pct, conditions,
        task, num_fewshot, version, metric, filter,
        arg_max({row: row_id, width: width}, (recorded_at, run_id, seq)) as found
    from measured
    group by all
)
select
    l.model, coalesce(p.method, width.method) as method, width.pct as pruning_pct, m.task, m.metric, m.filter,
    m.value, m.stderr, m.n, m.higher_is_better, m.chance, m.part_of, m.is_group, m.version, m.num_fewshot,
    width.level as level, l.unpruned, l.intermediate_size, width.expansion_ratio, width.parameters, width.bytes,
    l.conditions, width.origin, l.model_id, m.run_id, m.seq, m.recorded_at,
    coalesce(b.benchmark, m.task) as benchmark,
    coalesce(b.position, 1000) as position,
    coalesce(o.kind, 'score') as kind
from (select * exclude (found), found.row as row_id, found.width as width from latest) l
join metrics m on m.rowid = l.row_id
left join pruned_by p
    on l.unpruned
    and p.model_id = l.model_id
    and p.conditions is not distinct from l.conditions
left join benchmarks b on b.task = m.task
left join metric_order o on o.metric = m.metric;
comment on view current_metrics is
    'One row is the latest value of one metric of one task at one width of a model, under given conditions.';
comment on column current_metrics.unpruned is 'True for the full width, which stands under each method.';
comment on column current_metrics.run_id is 'The run that measured it; with seq, the event in its journal.';
comment on column current_metrics.benchmark is 'Name of the task for tables.';
comment on column current_metrics.position is 'Place in tables, from the left; 1000 for tasks the study did not use.';
comment on column current_metrics.kind is 'Of the metric: perplexity or score.';

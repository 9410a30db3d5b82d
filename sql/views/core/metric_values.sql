-- One row is the latest value of one metric of one task at one width of a model: latest among all runs with the
-- same model, method, repair, exact width, conditions, shots, task version and questions, as run_identities and
-- task_identities tell them. The unpruned width is the same whatever the method, the repair and the text that they were
-- calibrated on, so it stands under each of these that the model was pruned with under those conditions. A width that was
-- asked for in several ways (40, w4916) goes by one name: a percentage if there is one, else the latest.
-- needs: benchmarks, metric_order, run_models, series_conditions
create or replace view metric_values as
with
variant as (
    select
        v.*,
        v.rowid as variant_row,
        r.model_id,
        r.model,
        r.conditions,
        r.footnote,
        r.origin,
        r.sweep,
        r.calibrated_on,
        r.other_calibration,
        coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0) as unpruned
    from variants v
    join run_models r using (run_id)
    qualify row_number() over (partition by r.model, r.model_id, v.run_id, v.level order by v.seq desc) = 1
),
-- By windows, not joins, here and in the views that build on this one: a filter on the model goes through them.
named as (
    select
        *,
        case when not unpruned then {method: method, repair: repair, calibration: other_calibration} end as by_method,
        case when intermediate_size is null then pruning_pct end as by_pct,
        first_value(level) over same_width as width_level,
        first_value(pruning_pct) over same_width as width_pct,
        case when unpruned then
            list(distinct {method: method, repair: repair, calibration: other_calibration})
                filter (not unpruned) over (partition by model, model_id, conditions)
        end as pruned_by
    from variant
    window same_width as (
        partition by
            model, model_id, intermediate_size, case when intermediate_size is null then pruning_pct end
        order by regexp_full_match(level, '[0-9.]+') desc, recorded_at desc
    )
),
-- Within a run the journal's order counts, not the clock, which may have been set back in the meantime. What a row says
-- goes along in one column: were it fetched by its rowid afterwards, DuckDB would expect millions of rows of a model.
measured as (
    select
        v.model, v.model_id, v.unpruned, v.by_method, v.intermediate_size, v.by_pct,
        case when t.run_id is null then v.conditions else t.conditions end as conditions,
        v.width_level, v.width_pct, v.origin, v.sweep, v.variant_row, m.run_id,
        m.task,
        case when t.run_id is null then m.num_fewshot else t.num_fewshot end as num_fewshot,
        coalesce(t.version, m.version, o.version) as version,
        m.metric, m.filter,
        max(m.seq) as seq,
        arg_max({
            recorded_at: m.recorded_at, value: m.value, stderr: m.stderr, n: m.n,
            higher_is_better: m.higher_is_better, chance: m.chance, part_of: m.part_of, is_group: m.is_group,
            parameters: v.parameters,
            method: {method: v.method, repair: v.repair, calibration: null::varchar},
            calibration: case when not v.unpruned then v.calibrated_on end,
            footnote: nullif(concat_ws(
                '; ',
                coalesce(t.footnote, v.footnote),
                case when coalesce(t.version, m.version) is null and o.version is not null then
                    'task version not known, taken to be the one that was measured'
                end
            ), '')
        }, m.seq) as said,
        any_value(v.pruned_by) as pruned_by
    from metrics m
    join named v using (run_id, level)
    left join task_identities t
        on t.run_id = m.run_id and t.task = m.task
        and t.recorded_shots is not distinct from m.num_fewshot
        and t.recorded_version is not distinct from m.version
    left join task_versions o on o.task = m.task
    group by all
),
-- A width is compared with the unpruned one of its own run where that has it, whatever was measured later: so the
-- unpruned width keeps what each run measured, `by_run`. The latest of a run is the greatest.
latest as (
    select
        model, model_id, unpruned, by_method, intermediate_size, by_pct, conditions, width_level, width_pct,
        task, num_fewshot, version, metric, filter,
        any_value(pruned_by) as pruned_by,
        max({
            recorded_at: said.recorded_at, run_id: run_id, seq: seq,
            variant_row: variant_row, origin: origin, sweep: sweep, said: said
        }) as last,
        list({
            seq: seq, run_id: run_id, value: said.value, stderr: said.stderr, parameters: said.parameters,
            level: width_level, sweep: sweep
        }) filter (unpruned) as by_run
    from measured
    group by all
)
select
    l.model, l.series.method, l.series.repair, l.width_pct as pruning_pct,
    l.task, l.metric, l.filter,
    l.said.value, l.said.stderr, l.said.n, l.said.higher_is_better, l.said.chance, l.said.part_of, l.said.is_group,
    l.version, l.num_fewshot, l.width_level as level, l.unpruned, l.intermediate_size,
    w.expansion_ratio, w.parameters, w.bytes, series_conditions(l.conditions, l.series.calibration, false) as conditions,
    l.origin, l.model_id, l.run_id, l.seq, l.recorded_at,
    coalesce(b.benchmark, l.task) as benchmark,
    coalesce(b.position, 1000) as position,
    coalesce(o.kind, 'score') as kind,
    l.said.footnote,
    l.said.calibration,
    l.conditions as base_conditions,
    l.sweep,
    l.by_run
from (
    select
        * exclude (last, pruned_by), unnest(last),
        unnest(coalesce(pruned_by, [coalesce(by_method, last.said.method)])) as series
    from latest
) l
join variants w on w.rowid = l.variant_row
left join benchmarks b on b.task = l.task
left join metric_order o on o.metric = l.metric;
comment on view metric_values is 'current_metrics with two columns more, for the views that compare.';
comment on column metric_values.sweep is 'The sweep of the run that measured it: equal for runs that were started together.';
comment on column metric_values.by_run is 'Of the unpruned width: what each run measured; else null.';

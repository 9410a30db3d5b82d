-- One row is one quantity of one width under one workload, as it was measured last on a machine: the mean of its rounds. A
-- round that is missing is left out; where all are, the mean is null and `note` says why. `half_width` holds the noise
-- within rounds, `drift_pct` how far apart the rounds are. An import has one round; its intervals are by Student's t.
-- needs: run_models, t95
create or replace view profile_figures as
with
machine as (
    select run_id, arg_max(device, seq) as device from machines group by run_id
),
variant as (
    from variants qualify row_number() over (partition by run_id, level order by seq desc) = 1
),
told as (
    select
        r.model_id, r.model,
        case when v.pruning_pct = 0 then 'none' else v.method end as method,
        case when v.pruning_pct = 0 then 'none' else v.repair end as repair,
        v.pruning_pct, v.intermediate_size, v.parameters, r.dtype, machine.device, r.origin,
        m.run_id, m.seq, m.recorded_at, m.round, m.level,
        m.workload, m.batch_size, m.prompt_tokens, m.new_tokens, m.engine, m.mode, m.width, m.padded_size, m.phase,
        m.quantity, m.unit, m.mean, m.p50, m.p90, m.p99, m.n, m.limit_share, m.limited_by, m.source, m.note,
        coalesce(m.half_width, case when m.n > 1 then t95(m.n - 1) * m.std / sqrt(m.n) end) as half_width
    from measurements m
    join run_models r using (run_id)
    join variant v using (run_id, level)
    left join machine using (run_id)
),
-- Of a round that was measured again the later one counts, of several runs on one machine the last.
latest as (
    from told
    qualify row_number() over (
            partition by run_id, level, workload, batch_size, engine, mode, width, phase, quantity, round order by seq desc
        ) = 1
        and run_id = arg_max(run_id, (recorded_at, run_id)) over (
            partition by
                model_id, method, repair, pruning_pct, intermediate_size, dtype, device, workload, prompt_tokens,
                new_tokens, engine, mode, width, phase, quantity
        )
)
select
    model, method, repair, pruning_pct, intermediate_size, width, padded_size, device, workload, batch_size,
    prompt_tokens, new_tokens, engine, mode, phase, quantity, unit,
    avg(mean order by round) as mean,
    sqrt(sum(half_width ** 2 order by round) filter (mean is not null)) / count(mean) as half_width,
    case when count(mean) > 1 then 100 * (max(mean) - min(mean)) / nullif(abs(avg(mean order by round)), 0) end as drift_pct,
    count(mean) as rounds,
    avg(p50 order by round) as p50,
    avg(p90 order by round) as p90,
    avg(p99 order by round) as p99,
    avg(limit_share order by round) as limit_share,
    arg_max(limited_by, round) as limited_by,
    any_value(source) as source,
    string_agg(distinct note, '; ' order by note) as note,
    parameters, dtype, model_id, run_id, level, max(recorded_at) as recorded_at
from latest
group by
    model, method, repair, pruning_pct, intermediate_size, width, padded_size, device, workload, batch_size,
    prompt_tokens, new_tokens, engine, mode, phase, quantity, unit, parameters, dtype, model_id, run_id, level;
comment on view profile_figures is
    'One row is one quantity of one width under one workload, as it was measured last: the mean of its rounds.';
comment on column profile_figures.method is 'How it was pruned; none of the unpruned model.';
comment on column profile_figures.repair is 'How what was removed is made up for; none where it is not.';
comment on column profile_figures.device is 'The GPU or the processor; null where that is not known.';
comment on column profile_figures.mean is 'Mean of the rounds, in the unit given; null where it could not be measured, see note.';
comment on column profile_figures.unit is 'Unit of mean, half_width and the percentiles.';
comment on column profile_figures.half_width is
    'Half the width of the 95 % interval of the mean, from the noise within rounds, in the unit given; null where unknown.';
comment on column profile_figures.drift_pct is
    'How far the rounds'' means are apart, in percent of their mean; null with one round.';
comment on column profile_figures.rounds is 'Rounds that have a mean.';
comment on column profile_figures.p50 is 'Mean of the rounds'' medians, in the unit given; null for imports.';
comment on column profile_figures.p90 is 'Mean of the rounds'' 90th percentiles, in the unit given; null for imports.';
comment on column profile_figures.p99 is 'Mean of the rounds'' 99th percentiles, in the unit given; null for imports.';
comment on column profile_figures.run_id is 'The run that measured it.';
comment on column profile_figures.level is 'The level as that run asked for it.';
comment on column profile_figures.recorded_at is 'When the last round was recorded; UTC.';
comment on column profile_figures.note is 'Why there is no mean, or what weakens it; null where there is nothing to say.';
comment on column profile_figures.intermediate_size is 'Neurons left in each layer''s MLP; null where that is not known.';
comment on column profile_figures.padded_size is
    'Neurons in each layer''s MLP as they were computed, zero ones included; null for imports.';
comment on column profile_figures.source is 'What measured it, as CUDA events or NVML''s energy counter; null for imports.';

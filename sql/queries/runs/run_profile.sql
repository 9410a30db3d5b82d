-- What a run measured of its levels' cost: one row for each width, workload and way to answer, the mean of its rounds.
with told as (
    select * from measurements where run_id = $run_id and phase <> 'load'
),
width as (
    select m.level, m.width, max(m.mean) filter (quantity = 'weights') as weights, max(m.mean) filter (quantity = 'load_time') as load_s
    from measurements m where run_id = $run_id and phase = 'load' group by m.level, m.width
),
variant as (
    from variants where run_id = $run_id qualify row_number() over (partition by level order by seq desc) = 1
)
select
    t.level, v.pruning_pct, t.width, any_value(t.padded_size) as padded_size, t.workload, max(t.batch_size) as batch_size,
    t.engine, t.mode,
    avg(t.mean order by t.round) filter (t.quantity = 'time_to_first_token') as first_ms,
    avg(t.mean order by t.round) filter (t.quantity = 'time_per_output_token') as token_ms,
    max(t.half_width) filter (t.quantity = 'time_per_output_token') as token_half_width,
    avg(t.p99 order by t.round) filter (t.quantity = 'time_per_output_token') as token_p99,
    case when count(t.mean) filter (t.quantity = 'time_per_output_token') > 1 then
        100 * (max(t.mean) filter (t.quantity = 'time_per_output_token') - min(t.mean) filter (t.quantity = 'time_per_output_token'))
            / nullif(avg(t.mean order by t.round) filter (t.quantity = 'time_per_output_token'), 0)
    end as drift_pct,
    avg(t.limit_share order by t.round) filter (t.quantity = 'time_to_first_token') as first_limit_share,
    avg(t.limit_share order by t.round) filter (t.quantity = 'time_per_output_token') as token_limit_share,
    any_value(t.limited_by) filter (t.quantity = 'time_per_output_token') as token_limited_by,
    avg(t.mean order by t.round) filter (t.quantity = 'throughput' and t.phase = 'both') as tokens_per_s,
    avg(t.mean order by t.round) filter (t.quantity = 'joules_per_token' and t.phase = 'prefill') as prefill_joules,
    avg(t.mean order by t.round) filter (t.quantity = 'joules_per_token' and t.phase = 'decode') as decode_joules,
    avg(t.mean order by t.round) filter (t.quantity = 'peak_memory') as peak_bytes,
    any_value(w.weights) as weights_bytes,
    any_value(w.load_s) as load_s,
    avg(t.mean order by t.round) filter (t.quantity = 'clock') as clock_mhz,
    avg(t.mean order by t.round) filter (t.quantity = 'temperature') as celsius,
    string_agg(distinct t.note, '; ' order by t.note) filter (
        t.quantity in ('time_to_first_token', 'time_per_output_token') and t.mean is null
    ) as missing,
    string_agg(distinct t.note, '; ' order by t.note) filter (t.quantity = 'joules_per_token' and t.mean is null) as energy_missing
from told t
join variant v using (level)
left join width w on w.level = t.level and w.width = t.width
group by t.level, v.pruning_pct, t.width, t.workload, t.prompt_tokens, t.engine, t.mode
order by
    t.prompt_tokens, max(max(t.batch_size)) over (partition by t.workload), t.workload, t.engine, t.mode, v.pruning_pct, t.width;

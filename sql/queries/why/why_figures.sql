-- Where the figures of one quantity of a width's cost came from.
select
    model, method, repair, level, pruning_pct, width, padded_size, workload, batch_size, engine, mode, phase, quantity, unit,
    mean, half_width, drift_pct, rounds, limit_share, limited_by, source, note, device, run_id, recorded_at
from profile_figures
where list_contains($model_ids, model_id) and quantity = $quantity
    and (level = $level or format('{:g}', pruning_pct) = $level)
order by recorded_at, workload, engine, mode, width, phase;

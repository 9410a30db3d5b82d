-- What these models' widths cost: time a token, memory and energy of each way to answer, at so many requests at a time.
select
    model_id, method, repair, pruning_pct, intermediate_size, device, workload, prompt_tokens, new_tokens,
    coalesce(engine, '') as engine, coalesce(mode, '') as mode, coalesce(width, 'exact') as width, padded_size,
    phase, quantity, mean, half_width, drift_pct, note, recorded_at
from profile_figures
where list_contains($model_ids, model_id)
    and quantity in (
        'time_per_output_token', 'time_to_first_token', 'throughput', 'peak_memory', 'weights', 'joules_per_token'
    )
    and (batch_size = $batch or quantity = 'weights')
order by recorded_at, workload, engine, mode, width, phase, quantity;

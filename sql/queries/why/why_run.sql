-- The run that an event belongs to: as planned, by which process, and of which model, all as they stood at the event.
select
    r.run_id, coalesce(n.name, r.name) as name, r.origin, r.conditions, r.dtype, r.plan, r.recorded_at as planned_at,
    a.attempt, a.recorded_at as attempted_at, a.pid, a.host, a.provenance,
    m.model, m.model_id, m.source, m.revision, m.weights_hash, m.config_hash, m.tokenizer_hash,
    m.parameters as model_parameters,
    e.merged_at, e.journal_end
from (from runs where run_id = $run_id and seq <= $seq order by seq desc limit 1) r
left join (from attempts where run_id = $run_id and seq <= $seq order by seq desc limit 1) a using (run_id)
left join (from models where run_id = $run_id and seq <= $seq order by seq desc limit 1) m using (run_id)
left join (
    select run_id, arg_max(message, seq) as name from events where run_id = $run_id and kind = 'renamed' group by run_id
) n using (run_id)
left join (from merged_events where run_id = $run_id and seq = $seq) e using (run_id);

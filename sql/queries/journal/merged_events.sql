-- What the warehouse has of a run's events, with the time that the journal gave them.
select e.seq, any_value(e.kind) as kind, min(t.recorded_at) as recorded_at
from merged_events e
left join (
    select run_id, seq, recorded_at from runs
    union all select run_id, seq, recorded_at from attempts
    union all select run_id, seq, recorded_at from models
    union all select run_id, seq, recorded_at from variants
    union all select run_id, seq, recorded_at from tasks
    union all select run_id, seq, recorded_at from stages
    union all select run_id, seq, recorded_at from cells
    union all select run_id, seq, recorded_at from failures
    union all select run_id, seq, recorded_at from events
    union all select run_id, seq, recorded_at from gpu_samples
    union all select run_id, seq, recorded_at from machines
    union all select run_id, seq, recorded_at from measurements
) t using (run_id, seq)
where e.run_id = $run_id and e.seq >= 0
group by e.seq;

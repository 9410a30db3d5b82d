-- How far the journals of all runs, or of one, were merged: the byte, and the last event with the time that the journal gave it.
with
merged as (
    select run_id, max(journal_end) as journal_end, max(seq) as seq
    from merged_events
    where seq >= 0 and ($run_id is null or run_id = $run_id)
    group by run_id
),
told as (
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
)
select run_id, any_value(merged.journal_end) as journal_end, seq, any_value(e.kind) as kind, min(told.recorded_at) as recorded_at
from merged
join merged_events e using (run_id, seq)
left join told using (run_id, seq)
group by run_id, seq;

-- Runs whose rows are not those of the events in the ledger: events that have none, metrics that are there twice, and
-- rows of no event. A reading of the GPU may be empty, and so may a list of measurements.
with
happened as (
    select run_id, seq from runs
    union all select run_id, seq from attempts
    union all select run_id, seq from models
    union all select run_id, seq from variants
    union all select run_id, seq from tasks
    union all select run_id, seq from stages
    union all select run_id, seq from cells
    union all select run_id, seq from metrics
    union all select run_id, seq from failures
    union all select run_id, seq from measurements
    union all select run_id, seq from events where kind <> 'bundle'
),
gone as (
    select run_id, count(*) as gone
    from (select run_id, seq from merged_events where kind not in ('gpu', 'measured'))
    anti join happened using (run_id, seq)
    group by run_id
),
surplus as (
    select run_id, count(*) as surplus
    from (
        select run_id, seq from happened anti join merged_events using (run_id, seq)
        union all
        select run_id, seq from metrics group by run_id, seq, level, task, metric, filter having count(*) > 1
    )
    group by run_id
)
select run_id, coalesce(gone, 0) as gone, coalesce(surplus, 0) as surplus
from gone full join surplus using (run_id)
order by run_id;

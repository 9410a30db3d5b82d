-- Which bundle rows came in, beside the runs' own events: no event of a journal has a negative number.
insert into events by name
select distinct run_id, -1 as seq, current_timestamp at time zone 'UTC' as recorded_at, 'bundle' as kind,
    null as level, null as task, $file as message, $fingerprint as detail
from bundle_events where not known;

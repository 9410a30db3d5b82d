insert into merged_events by name
select run_id, seq, kind, journal_end, current_timestamp at time zone 'UTC' as merged_at
from bundle_events where not known;

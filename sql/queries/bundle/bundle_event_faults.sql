-- What no prune-tui writes: an event twice, or one of a run that the bundle does not name.
select
    count(*) - count(distinct (run_id, seq)) as doubled,
    count(*) filter (not list_contains($run_ids::varchar[], run_id)) as unnamed
from bundle_events;

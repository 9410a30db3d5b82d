-- The events that a bundle is to hold.
create or replace temp table bundled_events as
select run_id, seq from merged_events where list_contains($run_ids::varchar[], run_id);

-- The events before those that were set aside were merged up to where the journal has gone on with others since.
update merged_events set journal_end = 0 where run_id = $run_id;

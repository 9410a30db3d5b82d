update merged_events set journal_end = 0 where run_id = $run_id and seq < 0;

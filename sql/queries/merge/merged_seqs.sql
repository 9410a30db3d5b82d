select seq from merged_events where run_id = $run_id and seq >= $first_seq;

select min(seq) as lowest, max(seq) as highest from merged_events where run_id = $run_id;

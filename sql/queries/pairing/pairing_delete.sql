delete from paired_deltas where baseline_run_id = $run_id;

delete from paired_methods where baseline_run_id = $run_id;

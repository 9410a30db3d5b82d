delete from paired_methods
where problem is not null and (run_id = $run_id or baseline_run_id = $run_id);

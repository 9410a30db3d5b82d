-- Comparisons that could not be made, of a run whose tasks are told anew: they may be possible now.
delete from paired_deltas
where problem is not null and (run_id = $run_id or baseline_run_id = $run_id);

-- A pair of methods gives way when one of the two was measured anew, or has another headline.
delete from paired_methods
where list_contains($tasks, task)
    and run_id in (
        select run_id from run_models where model_id = $model_id and conditions is not distinct from $conditions
    )
    and (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    ) not in (
        select (run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level)
        from pairing_methods
    );

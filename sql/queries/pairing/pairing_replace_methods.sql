-- A pair of methods gives way when one of the two was measured anew, or has another headline.
delete from paired_methods
where (run_id, task) in (
        select (r.run_id, a.task)
        from run_models r
        join (
            select unnest($model_ids) as model_id, unnest($conditions::varchar[]) as conditions, unnest($tasks) as task
        ) a on a.model_id = r.model_id and a.conditions is not distinct from r.conditions
    )
    and (
        run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level
    ) not in (
        select (run_id, seq, level, task, metric, filter, baseline_run_id, baseline_seq, baseline_level)
        from pairing_methods
    );

-- One run or import, as the database has it: its plan, its model, and the levels and tasks that it came to.
select
    o.run_id, o.name, o.origin, o.model_id, o.model, o.revision, o.parameters, o.method, o.suite, o.conditions,
    o.created_at, o.state, o.cells_done, o.cells_failed, o.last_cell_at, cast(o.plan as varchar) as plan,
    coalesce(
        (
            select list(level order by pruning_pct, level)
            from (select distinct level, pruning_pct from variants where run_id = $run_id)
        ),
        []
    ) as levels,
    coalesce(
        (
            select list(if(num_fewshot > 0, task || '@' || num_fewshot, task) order by first_seq, task)
            from (
                select task, num_fewshot, min(seq) as first_seq
                from cells where run_id = $run_id and part_of is null
                group by task, num_fewshot
            )
        ),
        []
    ) as tasks,
    coalesce(
        (
            select list({level: level, task: task, error: error} order by seq)
            from (
                select f.level, f.task, f.error, f.seq
                from failures f
                anti join cells c on c.run_id = f.run_id and c.level = f.level and c.task = f.task
                where f.run_id = $run_id
                qualify row_number() over (partition by f.level, f.task order by f.seq desc) = 1
            )
        ),
        []
    ) as failures,
    (from (select host from attempts where run_id = $run_id order by seq desc limit 1)) as host
from run_overview o
where o.run_id = $run_id;

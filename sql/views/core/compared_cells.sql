-- One row is one cell, with the model and the conditions that it is compared under: its run's, or its task's where that was
-- asked otherwise. current_metrics has these joins once more, after its own: before them they would read all metrics.
create or replace view compared_cells as
select c.run_id, c.seq, c.level, c.task, i.model_id, coalesce(t.conditions, i.conditions) as conditions
from cells c
join run_identities i using (run_id)
left join task_identities t
    on t.run_id = c.run_id and t.task = c.task
    and t.recorded_shots is not distinct from c.num_fewshot and t.recorded_version is not distinct from c.version;
comment on view compared_cells is 'One row is one cell, with the model and the conditions that it is compared under.';
comment on column compared_cells.model_id is 'As in run_identities.';
comment on column compared_cells.conditions is 'As in task_identities, else as in run_identities.';

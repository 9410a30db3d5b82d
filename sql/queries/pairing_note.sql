-- Cells of a run that were merged just now, or are about to be forgotten: what they are compared with may change.
insert into pairing_due
select distinct i.model_id, coalesce(t.conditions, i.conditions), c.task
from cells c
join run_identities i on i.run_id = c.run_id
left join task_identities t
    on t.run_id = c.run_id and t.task = c.task
    and t.recorded_shots is not distinct from c.num_fewshot and t.recorded_version is not distinct from c.version
where c.run_id = $run_id and c.seq >= $first_seq and i.run_id = $run_id;

-- Every task of the models of one name: other runs are compared with each other now.
insert into pairing_due
select distinct i.model_id, coalesce(t.conditions, i.conditions), c.task
from cells c
join run_identities i using (run_id)
left join task_identities t
    on t.run_id = c.run_id and t.task = c.task
    and t.recorded_shots is not distinct from c.num_fewshot and t.recorded_version is not distinct from c.version
where c.run_id in (select run_id from models where model = $model);

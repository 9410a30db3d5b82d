delete from pairing_due d
using (
    select unnest($model_ids) as model_id, unnest($conditions::varchar[]) as conditions, unnest($tasks) as task
) a
where a.model_id = d.model_id and a.conditions is not distinct from d.conditions and a.task = d.task;

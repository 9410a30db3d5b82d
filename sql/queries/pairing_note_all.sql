insert into pairing_due
select distinct m.model_id, r.conditions, c.task
from cells c
join (select distinct run_id, model_id from models) m using (run_id)
join (select distinct run_id, conditions from runs) r using (run_id);

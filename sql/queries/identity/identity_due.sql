-- Every task of the models of one name: other runs are compared with each other now.
insert into pairing_due
select distinct model_id, conditions, task
from compared_cells
where run_id in (select run_id from models where model = $model);

insert into pairing_due
select distinct model_id, conditions, task from compared_cells;

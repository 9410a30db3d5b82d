-- Cells of a run that were merged just now, or are about to be deleted: what they are compared with may change.
insert into pairing_due
select distinct model_id, conditions, task
from compared_cells
where run_id = $run_id and seq >= $first_seq;

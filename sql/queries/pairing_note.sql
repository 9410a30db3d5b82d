-- Cells of a run that were merged just now, or are about to be forgotten: what they are compared with may change.
insert into pairing_due
select distinct m.model_id, r.conditions, c.task
from cells c
join models m on m.run_id = c.run_id
join runs r on r.run_id = c.run_id
where c.run_id = $run_id and c.seq >= $first_seq and m.run_id = $run_id and r.run_id = $run_id;

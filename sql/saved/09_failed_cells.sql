-- Cells whose last word is an error.
select r.name, f.level, f.task, f.error, f.recorded_at
from failures f
join run_overview r using (run_id)
anti join cells c on c.run_id = f.run_id and c.level = f.level and c.task = f.task
order by f.recorded_at desc;

-- Runs and imports, newest first.
select run_id, name, origin, model, method, state, cells_done, cells_failed, created_at
from run_overview
order by created_at desc;

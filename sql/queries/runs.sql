select run_id, name, origin, model_id, model, method, suite, conditions, created_at, state, cells_done, cells_failed
from run_overview
order by created_at desc, run_id desc;

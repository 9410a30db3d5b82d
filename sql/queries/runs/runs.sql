with begun as (
    select run_id, list(level order by pruning_pct, level) as levels
    from (select distinct run_id, level, pruning_pct from variants)
    group by run_id
)
select
    run_id, name, origin, model_id, model, method, repair, calibrated_on,
    sweep, suite, conditions, created_at, state, cells_done, cells_failed,
    coalesce(levels, []) as levels
from run_overview
left join begun using (run_id)
order by created_at desc, run_id desc;

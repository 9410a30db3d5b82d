-- One row is one run: its plan, the model it loaded and how far it got. Imports are runs, too.
create or replace view run_overview as
with
plan as (
    select * from runs
    qualify row_number() over (partition by run_id order by seq desc) = 1
),
started as (
    select run_id, min(recorded_at) as created_at from runs group by run_id
),
model as (
    select * from models
    qualify row_number() over (partition by run_id order by seq desc) = 1
),
happening as (
    select run_id, seq, 'started' as state from attempts
    union all
    select run_id, seq, kind from events where kind in ('stopped', 'finished', 'refused', 'crashed')
),
state as (
    select run_id, arg_max(state, seq) as state from happening group by run_id
),
done as (
    select run_id, count(distinct (level, task)) as cells_done, max(recorded_at) as last_cell_at
    from cells group by run_id
),
failed as (
    select f.run_id, count(distinct (f.level, f.task)) as cells_failed
    from failures f
    anti join cells c using (run_id, level, task)
    group by f.run_id
)
select
    plan.run_id,
    plan.name,
    plan.origin,
    model.model_id,
    model.model,
    model.model_type,
    model.revision,
    model.weights_hash,
    model.hidden_size,
    model.intermediate_size,
    model.num_hidden_layers,
    model.parameters,
    plan.method,
    plan.suite,
    plan.conditions,
    plan.dtype,
    started.created_at,
    coalesce(state.state, case when plan.origin = 'run' then 'planned' else 'finished' end) as state,
    coalesce(done.cells_done, 0) as cells_done,
    coalesce(failed.cells_failed, 0) as cells_failed,
    done.last_cell_at,
    plan.plan
from plan
join started using (run_id)
left join model using (run_id)
left join state using (run_id)
left join done using (run_id)
left join failed using (run_id);
comment on view run_overview is 'One row is one run: its plan, the model it loaded and how far it got.';
comment on column run_overview.state is 'planned, started, stopped, finished, refused or crashed: the last thing it said.';
comment on column run_overview.cells_failed is 'Cells whose last word is an error.';

-- One row is one run: its plan, the model it loaded and how far it got. Imports are runs, too.
-- needs: run_models
create or replace view run_overview as
with
happening as (
    select run_id, seq, 'started' as state from attempts
    union all
    select run_id, seq, kind from events where kind in ('stopped', 'finished', 'refused', 'crashed')
),
state as (
    select run_id, arg_max(state, seq) as state from happening group by run_id
),
counted as (
    select run_id, count(*) as cells_done, max(recorded_at) as last_cell_at, min(seq) as first_seq
    from cells group by run_id
),
-- A process records a cell once. Counting different cells takes long, and is only for runs that had another.
taken_up_again as (
    select c.run_id
    from counted c
    left join (select run_id, count(*) as attempts from attempts group by run_id) a using (run_id)
    where a.attempts is distinct from 1 or c.first_seq < 0
),
repeated as (
    select run_id, count(distinct (level, task)) as cells_done
    from cells
    semi join taken_up_again using (run_id)
    group by run_id
),
failed as (
    select f.run_id, count(distinct (f.level, f.task)) as cells_failed
    from failures f
    anti join cells c using (run_id, level, task)
    group by f.run_id
)
select
    m.* exclude (plan),
    coalesce(state.state, case when m.origin = 'run' then 'planned' else 'finished' end) as state,
    coalesce(repeated.cells_done, counted.cells_done, 0) as cells_done,
    coalesce(failed.cells_failed, 0) as cells_failed,
    counted.last_cell_at,
    m.plan
from run_models m
left join state using (run_id)
left join counted using (run_id)
left join repeated using (run_id)
left join failed using (run_id);
comment on view run_overview is 'One row is one run: its plan, the model it loaded and how far it got.';
comment on column run_overview.state is 'planned, started, stopped, finished, refused or crashed: the last thing it said.';
comment on column run_overview.cells_failed is 'Cells whose last word is an error.';
comment on column run_overview.run_id is 'The run, or import.';
comment on column run_overview.parameters is
    'Parameters of the unpruned model, tied weights counted once; null where that is not known.';
comment on column run_overview.intermediate_size is
    'Neurons in each layer''s MLP, unpruned; null where that is not known.';
comment on column run_overview.cells_done is 'Tasks at a level that are finished.';
comment on column run_overview.last_cell_at is 'When the last of them was; UTC, null before the first.';
comment on column run_overview.model is
    'Name of the unpruned model, or the last part of its path; null until the run has loaded it.';
comment on column run_overview.method is
    'What decides which neurons stay: maw, vow, pon, l2, random, or another method''s name; null where nothing says.';
comment on column run_overview.calibration is 'Where that text is from, as it was asked for; empty where none was needed.';

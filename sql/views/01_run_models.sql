-- One row is one run: what it was set out to do, and the model it loaded. Only that, and so at once.
create or replace view run_models as
with
plan as (
    select r.*, told.created_at
    from runs r
    join (
        select run_id, max(seq) as seq, min(recorded_at) as created_at from runs group by run_id
    ) told using (run_id, seq)
),
model as (
    select m.*
    from models m
    join (select run_id, max(seq) as seq from models group by run_id) using (run_id, seq)
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
    plan.created_at,
    plan.plan
from plan
left join model using (run_id);
comment on view run_models is 'One row is one run: its plan, and the model it loaded.';

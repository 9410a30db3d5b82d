-- One row is one run: what it was set out to do, and the model it loaded. Only that, and so at once.
create or replace view run_models as
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
    plan.plan
from plan
join started using (run_id)
left join model using (run_id);
comment on view run_models is 'One row is one run: its plan, and the model it loaded.';

-- One row is one run: what it was set out to do, and the model it loaded. Only that, and so at once.
-- needs: calibration_label
create or replace view run_models as
with
plan as (
    select r.*, told.created_at
    from runs r
    join (
        select run_id, max(seq) as seq, min(recorded_at) as created_at from runs group by run_id
    ) told using (run_id, seq)
),
renamed as (
    select run_id, arg_max(message, seq) as name from events where kind = 'renamed' group by run_id
),
model as (
    select m.*
    from models m
    join (select run_id, max(seq) as seq from models group by run_id) using (run_id, seq)
),
calibrated as (
    select run_id, arg_max(calibration_label(source, tokens, hash), seq) as calibrated_on
    from calibrations
    group by run_id
)
select
    plan.run_id,
    coalesce(renamed.name, plan.name) as name,
    plan.origin,
    coalesce(identity.model_id, model.model_id) as model_id,
    model.model,
    model.model_type,
    model.revision,
    model.weights_hash,
    model.config_hash,
    model.tokenizer_hash,
    model.tuned,
    model.hidden_size,
    model.intermediate_size,
    model.num_hidden_layers,
    model.parameters,
    plan.method,
    plan.suite,
    case when identity.run_id is null then plan.conditions else identity.conditions end as conditions,
    plan.dtype,
    plan.documents,
    plan.seeds,
    plan.chat_template,
    plan.chat_template_hash,
    plan.system_prompt,
    plan.fewshot_as_multiturn,
    plan.generation,
    plan.quantization,
    plan.adapter,
    plan.model_args,
    plan.published,
    plan.repair,
    plan.calibration,
    calibrated.calibrated_on,
    identity.other_calibration,
    plan.sweep,
    identity.footnote,
    plan.created_at,
    plan.plan
from plan
left join model using (run_id)
left join renamed using (run_id)
left join run_identities identity using (run_id)
left join calibrated using (run_id);
comment on view run_models is 'One row is one run: its plan, and the model it loaded.';
comment on column run_models.model_id is
    'Equal for runs of one model: run_identities says how that is told; null until the run has loaded it.';
comment on column run_models.conditions is 'Equal for runs that were measured alike: run_identities says how that is told.';
comment on column run_models.footnote is 'What was taken to be equal to other runs without being known.';
comment on column run_models.run_id is 'The run, or import.';
comment on column run_models.parameters is
    'Parameters of the unpruned model, tied weights counted once; null where that is not known.';
comment on column run_models.intermediate_size is
    'Neurons in each layer''s MLP, unpruned; null where that is not known.';
comment on column run_models.model is
    'Name of the unpruned model, or the last part of its path; null until the run has loaded it.';
comment on column run_models.method is
    'What decides which neurons stay: maw, vow, pon, l2, random, or another method''s name; null where nothing says.';
comment on column run_models.calibration is 'Where that text is from, as it was asked for; empty where none was needed.';

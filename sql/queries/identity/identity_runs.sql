-- What the runs of models of one name say of their model and of the conditions they were measured under, oldest first.
with
mine as (
    select distinct run_id from models where model = $model
),
model as (
    select run_id, model, model_id, weights_hash, config_hash, tokenizer_hash, revision
    from models
    semi join mine using (run_id)
    qualify row_number() over (partition by run_id order by seq desc) = 1
),
plan as (
    select *, min(recorded_at) over (partition by run_id) as created_at
    from runs
    semi join mine using (run_id)
    qualify row_number() over (partition by run_id order by seq desc) = 1
)
select
    run_id, model_id as recorded_id, weights_hash, config_hash, tokenizer_hash, revision,
    conditions, coalesce(published, false) as published, dtype, documents, seeds, chat_template, chat_template_hash,
    system_prompt, fewshot_as_multiturn, generation, quantization, adapter, model_args,
    method, coalesce(repair, 'none') as repair, k.hash as calibration_hash, k.calibrated_on
from model
join plan using (run_id)
left join (
    select run_id, arg_max(hash, seq) as hash, arg_max(calibration_label(source, tokens, hash), seq) as calibrated_on
    from calibrations
    semi join mine using (run_id)
    group by run_id
) k using (run_id)
where model = $model
order by created_at, run_id;

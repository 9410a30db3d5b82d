select
    model_id,
    arg_max(model, created_at) as model,
    arg_max(weights_hash, created_at) as weights_hash,
    count(*) as runs,
    list(distinct origin order by origin) as origins
from run_models
where model_id is not null
group by model_id
order by model, model_id;

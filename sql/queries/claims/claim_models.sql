-- The models that can be asked whether they support what the study says, and when the last of their runs began.
select model_id, max(model) as model, max(created_at) as latest
from run_models
where model_id is not null
group by model_id
order by model, model_id;

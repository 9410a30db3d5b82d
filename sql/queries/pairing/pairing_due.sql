select model_id, conditions, list(distinct task order by task) as tasks
from pairing_due
group by model_id, conditions
order by model_id, conditions;

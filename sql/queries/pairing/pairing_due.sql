-- What is due, by model and conditions; `sampled` says whether any run of the model has results per document.
with sampled as (
    select distinct model_id
    from run_identities
    semi join samples using (run_id)
    where model_id in (select model_id from pairing_due)
)
select
    d.model_id,
    d.conditions,
    list(distinct d.task order by d.task) as tasks,
    bool_or(s.model_id is not null) as sampled
from pairing_due d
left join sampled s using (model_id)
group by d.model_id, d.conditions
order by d.model_id, d.conditions;

-- The sweeps whose runs have scores, the newest first: what they are called, and how many of their runs have such.
select
    sweep,
    arg_max(plan ->> 'sweep_name', created_at) as name,
    count(*) as runs,
    count(distinct model_id) as models
from run_models
semi join cells using (run_id)
where sweep is not null
group by sweep
order by max(created_at) desc, sweep desc;

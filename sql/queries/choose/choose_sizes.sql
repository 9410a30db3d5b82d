-- Bytes of the weights that runs recorded of these models' widths, in the run's dtype; of several dtypes the least.
select
    r.model_id,
    case when v.pruning_pct = 0 then 'none' else v.method end as method,
    case when v.pruning_pct = 0 then 'none' else v.repair end as repair,
    v.pruning_pct, v.intermediate_size, min(v.bytes) as bytes, max(v.parameters) as parameters
from variants v
join run_models r using (run_id)
where list_contains($model_ids, r.model_id)
group by all
order by all;

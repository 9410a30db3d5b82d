-- One row is one model: how many parameters it has unpruned, by which two are told apart as the smaller and the larger, and
-- whether it is tuned.
-- needs: is_tuned, run_models
create or replace view model_sizes as
select r.model_id, max(v.parameters) as model_parameters, bool_or(is_tuned(r.tuned, r.model)) as tuned
from run_models r
join variants v using (run_id)
where coalesce(v.intermediate_size = r.intermediate_size, v.pruning_pct = 0)
group by r.model_id;
comment on view model_sizes is 'One row is one model: its parameters unpruned, and whether it is tuned.';
comment on column model_sizes.model_parameters is 'Parameters of the unpruned model; null where that is not known.';

-- The changes of a run that stand in Results, as delta_statistics has them, each under the level's name in the run; and
-- what guessing scores.
select level, task, metric, filter, delta, improved, verdict, p_value, ci_low, ci_high, chance
from delta_statistics
where list_contains($model_ids, model_id) and run_id = $run_id and unpaired_because is distinct from 'not compared yet';

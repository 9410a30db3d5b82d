-- One row is one cell whose last word is an error, here and in every later run of the same model, conditions and width.
-- A macro with models to choose, as size_tests: a filter on the view would not reach the cells.
-- needs: run_models, series_conditions
create or replace macro open_failures_of(models) as table
with
run as (
    select run_id, name, model, model_id, conditions, other_calibration
    from run_models
    where models is null or list_contains(models, model_id)
),
done as (
    select
        r.model_id, series_conditions(r.conditions, r.other_calibration, v.pruning_pct = 0) as conditions,
        v.method, v.repair, v.intermediate_size, v.pruning_pct, c.task,
        max(c.recorded_at) as recorded_at
    from cells c
    join run r using (run_id)
    join variants v using (run_id, level)
    group by all
)
select
    r.model, r.model_id, series_conditions(r.conditions, r.other_calibration, v.pruning_pct = 0) as conditions,
    v.method, v.repair, v.pruning_pct, v.intermediate_size,
    r.name, f.run_id, f.level, f.task, f.error, f.recorded_at
from failures f
join run r using (run_id)
join variants v using (run_id, level)
anti join done
    on done.model_id = r.model_id and done.task = f.task
    and done.conditions
        is not distinct from series_conditions(r.conditions, r.other_calibration, v.pruning_pct = 0)
    and ((done.method, done.repair) = (v.method, v.repair) or (done.pruning_pct = 0 and v.pruning_pct = 0))
    and done.intermediate_size is not distinct from v.intermediate_size and done.pruning_pct = v.pruning_pct
    and done.recorded_at >= f.recorded_at;
comment on macro table open_failures_of is 'open_failures of these models (a list of model_id) alone; null for all.';
create or replace view open_failures as from open_failures_of(null::varchar[]);
comment on view open_failures is
    'One row is one cell whose last word is an error, here and in every later run of the same model, conditions and width.';
comment on column open_failures.name is 'The run''s name.';
comment on column open_failures.error is 'The last error, in a sentence.';

-- Makes a database of a million metric rows from the published study: 20 models, each with 8 runs of 7 levels, and 40
-- subjects below each benchmark. Runs on a copy that `prune-tui import published` made.
set variable study = (select min(run_id) from runs where run_id like 'published-llama-3.2-1b-scores%');
create temp table copies as
select m as model, r as run, 'scaled-' || m || '-' || r as run_id from range(20) models(m), range(8) runs(r);

insert into runs by name
select f.* replace (
    c.run_id as run_id, f.recorded_at + to_seconds(c.model * 100 + c.run) as recorded_at,
    'scaled ' || c.model || '.' || c.run as name, 'run' as origin
)
from (from runs where run_id = getvariable('study')) f, copies c;

insert into models by name
select f.* replace (
    c.run_id as run_id, 'scaled/model-' || c.model as model, left(md5('model' || c.model), 12) as model_id
)
from (from models where run_id = getvariable('study')) f, copies c;

insert into variants by name
select f.* replace (c.run_id as run_id) from (from variants where run_id = getvariable('study')) f, copies c;

insert into cells by name
select f.* replace (c.run_id as run_id) from (from cells where run_id = getvariable('study')) f, copies c;

create temp table measured as from metrics where run_id = getvariable('study');

insert into metrics by name
select f.* replace (
    c.run_id as run_id, f.value * (1 + 0.01 * c.model + 0.001 * c.run) as value,
    f.recorded_at + to_seconds(c.run) as recorded_at, f.task = 'mmlu' as is_group
)
from measured f, copies c;

insert into metrics by name
select f.* replace (
    c.run_id as run_id, 'subject_' || s || '_of_' || f.task as task, 'mmlu' as part_of, false as is_group,
    f.value * (0.9 + 0.001 * s) as value
)
from measured f, copies c, range(40) subjects(s);

-- $runs runs of a model, each with 40 widths and 10 benchmarks of two metrics.
insert into runs by name
select
    'other-' || $method || i as run_id, 0 as seq, timestamp '2020-01-01' as recorded_at, 'other' as name,
    'run' as origin, $method as method, $conditions as conditions
from range($runs) t(i);
insert into models by name
select
    'other-' || $method || i as run_id, 1 as seq, timestamp '2020-01-01' as recorded_at, $model_id as model_id,
    $model as model, 8192 as intermediate_size
from range($runs) t(i);
insert into variants by name
select
    'other-' || $method || i as run_id, 2 + width as seq, timestamp '2020-01-01' as recorded_at,
    'w' || width as level, $method as method, 100 - 100 * width / 8192 as pruning_pct, width as intermediate_size
from range($runs) t(i), range(1, 41) w(width);
insert into metrics by name
select
    'other-' || $method || i as run_id, 100 as seq, timestamp '2020-01-01' as recorded_at, 'w' || width as level,
    'task' || task as task, false as is_group, '1.0' as version, 0 as num_fewshot, metric, 'none' as filter,
    0.5 as value, 0.1 as stderr, 100 as n, true as higher_is_better
from range($runs) t(i), range(1, 41) w(width), range(10) k(task), (values ('acc'), ('acc_norm')) m(metric);

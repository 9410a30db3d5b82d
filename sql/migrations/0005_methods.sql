-- What the samples of two methods' widths of one model say together, at one level: derived from `samples`, as
-- paired_deltas is, and kept in the same way. The side named baseline is the method that comes first by name.

create table paired_methods (
    run_id varchar not null,
    seq bigint not null,
    level varchar not null,
    task varchar not null,
    metric varchar not null,
    filter varchar not null,
    baseline_run_id varchar not null,
    baseline_seq bigint not null,
    baseline_level varchar not null,
    problem varchar,
    estimator varchar,
    pairs bigint,
    parts integer,
    paired_stderr double,
    clustered_stderr double,
    bootstrap_stderr double,
    bootstrap_low double,
    bootstrap_high double,
    bootstrap_p double,
    bootstrap_draws integer,
    lost bigint,
    gained bigint,
    mcnemar_p double,
    answers bigint,
    agreement double
);
comment on table paired_methods is
    'Derived from samples: one row per headline metric of a model pruned by two methods at one level.';
comment on column paired_methods.run_id is 'Run that measured the second method''s width.';
comment on column paired_methods.seq is 'Event of that run that holds the metric.';
comment on column paired_methods.level is 'The width''s level in that run.';
comment on column paired_methods.baseline_run_id is 'Run that measured the first method''s width; methods are in order of their names.';
comment on column paired_methods.baseline_seq is 'Event of that run that holds the metric.';
comment on column paired_methods.baseline_level is 'The width''s level in that run.';
comment on column paired_methods.problem is 'As in paired_deltas, like all that follows; after is the second method, before the first.';

-- Models that were pruned by several methods before this table existed.
insert into pairing_due
select distinct m.model_id, r.conditions, c.task
from cells c
join (select distinct run_id, model_id from models) m using (run_id)
join (select distinct run_id, conditions from runs) r using (run_id)
where m.model_id in (
    select model_id
    from (select distinct run_id, model_id from models)
    join (select distinct run_id, method from runs) using (run_id)
    group by model_id
    having count(distinct method) > 1
);

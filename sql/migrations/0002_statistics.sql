-- What the samples of a pruned width and of its baseline say together. Derived: every row can be computed again from
-- `samples`, and is, when a width or its baseline is measured anew. Kept in a table because the samples of a large
-- file are tens of millions of rows, which no view could read while a person waits.

create table paired_deltas (
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
comment on table paired_deltas is
    'Derived from samples: one row per metric of a pruned width and of the baseline it was compared with.';
comment on column paired_deltas.run_id is 'Run that measured the pruned width.';
comment on column paired_deltas.seq is 'Event of that run that holds the metric.';
comment on column paired_deltas.level is 'The pruned width''s level in that run.';
comment on column paired_deltas.task is 'lm-eval task or group.';
comment on column paired_deltas.metric is 'lm-eval''s name of the metric.';
comment on column paired_deltas.filter is 'lm-eval''s name of the filter.';
comment on column paired_deltas.baseline_run_id is 'Run that measured the unpruned width.';
comment on column paired_deltas.baseline_seq is 'Event of that run that holds the metric.';
comment on column paired_deltas.baseline_level is 'The unpruned width''s level in that run.';
comment on column paired_deltas.problem is 'Why the documents could not be paired; null where they were.';
comment on column paired_deltas.estimator is
    'How the documents'' values make the metric: mean, mean by size, mean of means, perplexity, weighted perplexity, '
    'bits per unit, F1 or MCC. Found by trying which one gives the recorded values.';
comment on column paired_deltas.pairs is 'Documents that both widths were scored on.';
comment on column paired_deltas.parts is 'Tasks that a group''s aggregate is made of; null for a task.';
comment on column paired_deltas.paired_stderr is
    'Standard error of the mean of the documents'' differences; of a group, its tasks taken as strata.';
comment on column paired_deltas.clustered_stderr is 'The same with the tasks of a group taken as clusters.';
comment on column paired_deltas.bootstrap_stderr is
    'Standard deviation of the delta over bootstrap_draws resamples of the pairs.';
comment on column paired_deltas.bootstrap_low is '2.5 % quantile of those deltas.';
comment on column paired_deltas.bootstrap_high is '97.5 % quantile of those deltas.';
comment on column paired_deltas.bootstrap_p is
    'Twice the smaller share of those deltas at or beyond zero, each share counted as (k + 1) / (draws + 1).';
comment on column paired_deltas.bootstrap_draws is 'Resamples drawn, from a fixed seed.';
comment on column paired_deltas.lost is 'Documents right before and wrong after; null unless values are 0 or 1.';
comment on column paired_deltas.gained is 'Documents wrong before and right after.';
comment on column paired_deltas.mcnemar_p is 'McNemar''s exact test, two-sided, on lost and gained.';
comment on column paired_deltas.answers is 'Pairs in which both answers are known.';
comment on column paired_deltas.agreement is 'Share of those pairs in which the two answers are equal.';

create table pairing_due (
    model_id varchar not null,
    conditions varchar,
    task varchar not null
);
comment on table pairing_due is
    'Tasks of a model whose paired_deltas may be out of date: written with the cells, emptied by the step after.';
comment on column pairing_due.model_id is 'As in models.';
comment on column pairing_due.conditions is 'As in runs.';
comment on column pairing_due.task is 'As in cells.';

-- What was merged before this table existed.
insert into pairing_due
select distinct m.model_id, r.conditions, c.task
from cells c
join (select distinct run_id, model_id from models) m using (run_id)
join (select distinct run_id, conditions from runs) r using (run_id);

alter table metrics add column chance double;
comment on column metrics.chance is
    'What guessing scores: of a choice among four, 0.25. Null where nothing is chosen from, or it was not recorded.';

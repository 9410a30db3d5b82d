-- The facts, as runs record them. Rows are only ever appended; (run_id, seq) names the event that a row came
-- from, as in the run's journal. There are no foreign keys and no keys on the fact tables: the ledger, written in
-- the same transaction as an event's rows, is what keeps an event from being merged twice.

create table merged_events (
    run_id varchar,
    seq bigint,
    kind varchar not null,
    journal_end bigint not null,
    merged_at timestamp not null,
    primary key (run_id, seq)
);
comment on table merged_events is 'The ledger: one row per event whose rows are in this file.';
comment on column merged_events.journal_end is 'Byte offset in the run''s journal up to which it had been read.';
comment on column merged_events.merged_at is 'UTC.';

create table runs (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    name varchar not null,
    origin varchar not null,
    method varchar,
    suite varchar,
    conditions varchar,
    dtype varchar,
    plan json
);
comment on table runs is 'One row per plan a run wrote down; the latest of a run_id counts. Imports are runs, too.';
comment on column runs.origin is 'run (ours), published (the study''s figures), study (a file in its format), lm-eval (a file of its).';
comment on column runs.conditions is 'What must be equal, beside model, task, version and shots, for two scores to be compared.';
comment on column runs.dtype is 'The one that the plan''s "auto" became.';
comment on column runs.recorded_at is 'UTC, as in every table.';

create table attempts (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    attempt integer,
    pid integer,
    host varchar,
    provenance json
);
comment on table attempts is 'One row each time a process took a run up, with what it ran on.';
comment on column attempts.provenance is 'Versions, GPU, dtype, seeds and hashes, as the process recorded them.';

create table models (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    model_id varchar not null,
    model varchar not null,
    source varchar,
    revision varchar,
    weights_hash varchar,
    model_type varchar,
    hidden_size integer,
    intermediate_size integer,
    num_hidden_layers integer,
    num_attention_heads integer,
    num_key_value_heads integer,
    vocab_size integer,
    tied_embeddings boolean,
    parameters bigint,
    bytes bigint
);
comment on table models is 'One row per unpruned model that a run loaded.';
comment on column models.model_id is 'Hash of the name and the weights'' hash: equal for equal models in different runs.';
comment on column models.parameters is 'Parameters, tied weights counted once.';
comment on column models.bytes is 'Size of the weights in the run''s dtype.';

create table variants (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    level varchar not null,
    method varchar not null,
    pruning_pct double not null,
    intermediate_size integer,
    padded_size integer,
    expansion_ratio double,
    parameters bigint,
    bytes bigint
);
comment on table variants is 'One row per width of a model that a run visited.';
comment on column variants.level is 'The level as asked for: 40 (percent), 2.4x (expansion ratio) or w4096 (width).';
comment on column variants.pruning_pct is 'Share of the MLP neurons removed, in percent.';
comment on column variants.intermediate_size is 'Neurons left in a layer, exactly.';
comment on column variants.padded_size is 'Width it was evaluated at, zero neurons added for speed (same function).';
comment on column variants.expansion_ratio is 'intermediate_size / hidden_size.';

create table tasks (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    task varchar not null,
    part_of varchar,
    version varchar,
    output_type varchar,
    num_fewshot integer,
    n_docs bigint,
    n_requests bigint,
    dataset varchar,
    dataset_fingerprint varchar,
    requests_hash varchar
);
comment on table tasks is 'One row per lm-eval task as a run built it.';
comment on column tasks.part_of is 'The group whose aggregate the task belongs to.';
comment on column tasks.requests_hash is 'Hash of every request: equal hashes were asked the same questions.';

create table stages (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    stage varchar not null,
    level varchar,
    seconds double
);
comment on table stages is 'Wall time of the parts of a run that are not cells.';

create table cells (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    level varchar not null,
    task varchar not null,
    part_of varchar,
    is_group boolean not null,
    version varchar,
    num_fewshot integer,
    seconds double,
    samples varchar
);
comment on table cells is 'One row per finished cell: a task, or the aggregate of a group, at a level.';
comment on column cells.samples is 'File with the per-document results, relative to the run''s folder.';

create table metrics (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    level varchar not null,
    task varchar not null,
    part_of varchar,
    is_group boolean not null,
    version varchar,
    num_fewshot integer,
    metric varchar not null,
    filter varchar not null,
    value double,
    stderr double,
    n bigint,
    higher_is_better boolean
);
comment on table metrics is 'One row per number that lm-eval reported, under its own name. NaN and infinities are legal.';
comment on column metrics.stderr is 'Standard error of the value; null where lm-eval gives none.';
comment on column metrics.n is 'Documents that the value is computed from.';

create table samples (
    run_id varchar not null,
    seq bigint not null,
    level varchar not null,
    task varchar not null,
    doc_id integer,
    filter varchar,
    metric varchar,
    value double,
    weight double,
    response json
);
comment on table samples is 'One row per document, filter and metric of a cell.';
comment on column samples.value is 'The document''s score; null if the metric is no number per document.';
comment on column samples.weight is 'Words or bytes of the document, for rolling perplexities.';
comment on column samples.response is 'The model''s answer: index of its choice, or generated text.';

create table failures (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    level varchar not null,
    task varchar not null,
    error varchar,
    detail varchar
);
comment on table failures is 'One row each time a cell could not be scored; a later row in cells supersedes it.';

create table events (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    kind varchar not null,
    level varchar,
    task varchar,
    message varchar,
    detail varchar
);
comment on table events is 'What else a run said: log lines, and how it stopped, finished, was refused or crashed.';

create table gpu_samples (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    sample json
);
comment on table gpu_samples is 'One row per reading of a GPU while a run worked.';

create table measurements (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    level varchar not null,
    workload varchar not null,
    batch_size integer,
    quantity varchar not null,
    unit varchar not null,
    mean double,
    std double,
    min double,
    max double,
    n integer
);
comment on table measurements is 'Speed, energy and memory of a width: one row per workload and quantity.';
comment on column measurements.n is 'Repetitions that mean, std, min and max are over.';

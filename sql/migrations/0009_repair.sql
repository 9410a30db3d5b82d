-- How what was removed is made up for, and the text that an order or a repair looked at. Every row from before is of a
-- width that nothing was repaired in.

alter table variants add column repair varchar default 'none';

alter table runs add column sweep varchar;

-- Derived, as the rest of the table.
alter table run_identities add column other_calibration varchar;
comment on column run_identities.other_calibration is
    'What a run was calibrated on, in words, where that is another text than in the first run of its model, method and repair.';

create table calibrations (
    run_id varchar not null,
    seq bigint not null,
    recorded_at timestamp not null,
    source varchar not null,
    tokens bigint not null,
    length integer not null,
    seed bigint,
    hash varchar not null,
    path varchar not null
);
comment on table calibrations is 'One row per text that a run looked at neurons on, for its method or its repair.';
comment on column calibrations.source is 'self (text of the unpruned model''s own), task:NAME (a task''s training split), or a file.';
comment on column calibrations.tokens is 'Tokens of it that were looked at.';
comment on column calibrations.length is 'Tokens of a sequence.';
comment on column calibrations.seed is 'What text of the model''s own was drawn with; null where nothing was drawn.';
comment on column calibrations.hash is 'SHA-256 of the token ids: equal for equal calibrations.';
comment on column calibrations.path is 'File with the token ids, relative to the run''s folder.';

-- What the rows of each event were when they were merged: whoever changes, adds or deletes one leaves the ledger as it is.
-- Rows from before get theirs from the program, right after this step: what is there then counts as true.

alter table merged_events add column row_count integer;
alter table merged_events add column row_digest ubigint;
comment on column merged_events.row_count is
    'Rows that the event brought, samples and readings of the GPU not counted; null where none were found when there should be.';
comment on column merged_events.row_digest is
    'Of those rows, in any order: the sum of the lower halves of their MD5 sums, without what is over 64 bits.';

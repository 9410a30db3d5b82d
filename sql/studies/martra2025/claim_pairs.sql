-- One row is two sizes of one family, of all families: claim_pairs_of has which are.
-- needs: claim_pairs_of
create or replace view claim_pairs as from claim_pairs_of(null::varchar[]);
comment on view claim_pairs is 'One row is two sizes of one family, pruned and measured alike.';
comment on column claim_pairs.family is 'The name with * for the size.';

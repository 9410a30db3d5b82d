-- One row is two sizes of one family, of all families: claim_pairs_of has which are.
-- needs: claim_pairs_of
create or replace view claim_pairs as from claim_pairs_of(null::varchar[]);
comment on view claim_pairs is 'One row is two sizes of one family, pruned and measured alike.';
comment on column claim_pairs.family is 'The name with * for the size.';
comment on column claim_pairs.smaller is 'Name of the smaller model.';
comment on column claim_pairs.smaller_id is 'Its model_id.';
comment on column claim_pairs.smaller_parameters is 'Its parameters, unpruned.';
comment on column claim_pairs.larger is 'Name of the larger model.';
comment on column claim_pairs.larger_id is 'Its model_id.';
comment on column claim_pairs.larger_parameters is 'Its parameters, unpruned.';

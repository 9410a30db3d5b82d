-- One row is one claim about the size of a model, tested on two sizes of one family: pair_claims_from has how.
-- needs: claim_changes, claim_pairs, pair_claims_from, rule_levels
create or replace view pair_claims as
with
all_changes as materialized (
    from claim_changes
),
all_pairs as materialized (
    from claim_pairs
),
all_levels as materialized (
    from rule_levels where rule = 'study' and repair = 'none'
)
from pair_claims_from('all_changes', 'all_pairs', 'all_levels');
comment on view pair_claims is 'One row is one claim about the size of a model, tested on two sizes of one family.';
comment on column pair_claims.model is 'The smaller one.';
comment on column pair_claims.verdict is 'supported, not supported, mixed or cannot tell; claim_list.test says when.';
comment on column pair_claims.missing is 'What was not measured, or has no error; null if nothing.';
comment on column pair_claims.claim is 'Number of the claim, 1 to 11.';
comment on column pair_claims.larger is 'The larger one.';
comment on column pair_claims.larger_id is 'model_id of the larger one; model_id is the smaller''s.';
comment on column pair_claims.says is 'The numbers that decide; an interval is of 95 %. Null where it cannot tell.';

-- One row is one claim about single models, tested on one model, of all models: model_claims_from has how.
-- needs: claim_changes, claim_series_from, model_claims_from
create or replace view model_claims as
with
all_changes as materialized (
    from claim_changes
),
all_series as materialized (
    from claim_series_from('all_changes')
)
from model_claims_from('all_changes', 'all_series');
comment on view model_claims is 'One row is one claim about single models, tested on one model.';
comment on column model_claims.verdict is 'supported, not supported, mixed or cannot tell; claim_list.test says when.';
comment on column model_claims.missing is 'What was not measured, or has no error; null if nothing.';
comment on column model_claims.claim is 'Number of the claim, 1 to 11.';
comment on column model_claims.says is 'The numbers that decide; an interval is of 95 %. Null where it cannot tell.';

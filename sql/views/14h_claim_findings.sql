-- One row is one claim of the study tested on one model, or on two sizes of one family: the verdict and the numbers for
-- it.
create or replace view claim_findings as
with findings as (
    from model_claims
    union all by name
    from pair_claims
)
select
    f.claim, c.title, f.model, f.larger, f.method, f.verdict, f.says, f.missing, f.conditions, f.model_id, f.larger_id
from findings f
join claim_list c using (claim);
comment on view claim_findings is
    'One row is one claim of the study tested on one model, or on two sizes of one family.';
comment on column claim_findings.larger is 'The larger of two sizes; null where the claim is about single models.';
comment on column claim_findings.verdict is
    'supported, not supported, mixed or cannot tell; claim_list.test says when.';
comment on column claim_findings.says is 'The numbers that decide; an interval is of 95 %.';
comment on column claim_findings.missing is 'What was not measured, or has no error; null if nothing.';

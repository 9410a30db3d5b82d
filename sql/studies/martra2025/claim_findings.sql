-- One row is one claim of the study tested on one model, or on two sizes of one family: of all models.
-- needs: claim_findings_of
create or replace view claim_findings as from claim_findings_of(null::varchar[]);
comment on view claim_findings is
    'One row is one claim of the study tested on one model, or on two sizes of one family.';
comment on column claim_findings.larger is 'The larger of two sizes; null where the claim is about single models.';
comment on column claim_findings.verdict is
    'supported, not supported, mixed or cannot tell; claim_list.test says when.';
comment on column claim_findings.says is 'The numbers that decide; an interval is of 95 %.';
comment on column claim_findings.missing is 'What was not measured, or has no error; null if nothing.';
comment on column claim_findings.claim is 'Number of the claim, 1 to 11.';
comment on column claim_findings.title is 'The claim, in a few words.';
comment on column claim_findings.larger_id is 'model_id of the larger; null where the claim is about single models.';

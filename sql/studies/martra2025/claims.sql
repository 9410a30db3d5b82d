-- One row is one claim of the study and what this file says of it: claims_of has how.
-- needs: claims_of
create or replace view claims as from claims_of(null::varchar[]);
comment on view claims is 'One row is one claim of the study and what this file says of it.';
comment on column claims.verdict is 'supported, not supported, mixed or cannot tell.';
comment on column claims.supporting is 'Models, or pairs of sizes, that support it.';
comment on column claims.findings is 'The rows of claim_findings that the verdict is from.';
comment on column claims.missing is 'What would have to be measured to tell, or to tell of more models.';
comment on column claims.claim is 'Number of the claim, 1 to 11.';
comment on column claims.title is 'The claim, in a few words.';
comment on column claims.mixed is 'Models, or pairs of sizes, that support a part of it.';
comment on column claims.opposing is 'Models, or pairs of sizes, that speak against it.';
comment on column claims.cannot_tell is 'Models, or pairs of sizes, that lack what it takes to tell.';
comment on column claims.study_says is 'Where the study makes the claim, and its words.';
comment on column claims.test is
    'What must hold for the claim to be called supported, or not supported; else it is mixed.';
comment on column claims.needs is 'What must have been measured.';
comment on column claims.v3_says is
    'What version 3 (June 2026) changes in it, as far as its abstract goes; null where that says nothing of it.';
comment on column claims.version is 'The version of the study''s text that makes the claim.';

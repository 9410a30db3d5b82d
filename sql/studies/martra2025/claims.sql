-- One row is one claim of the study and what this file says of it: claims_of has how.
-- needs: claims_of
create or replace view claims as from claims_of(null::varchar[]);
comment on view claims is 'One row is one claim of the study and what this file says of it.';
comment on column claims.verdict is 'supported, not supported, mixed or cannot tell.';
comment on column claims.supporting is 'Models, or pairs of sizes, that support it.';
comment on column claims.findings is 'The rows of claim_findings that the verdict is from.';
comment on column claims.missing is 'What would have to be measured to tell, or to tell of more models.';

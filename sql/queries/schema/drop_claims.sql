-- The study's claims as programs up to migration 7 put them into every file.
drop view main.claims;
drop view main.claim_changes;
drop view main.claim_findings;
drop view main.claim_list;
drop view main.claim_numbers;
drop view main.claim_pairs;
drop view main.claim_series;
drop view main.model_claims;
drop view main.pair_claims;
drop macro if exists main.second_told;
drop macro table if exists main.claim_findings_of;
drop macro table if exists main.claim_pairs_of;
drop macro table if exists main.claim_series_from;
drop macro table if exists main.claims_of;
drop macro table if exists main.model_claims_from;
drop macro table if exists main.pair_claims_from;

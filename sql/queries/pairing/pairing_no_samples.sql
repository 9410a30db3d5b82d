create or replace temp table pairing_samples as from samples limit 0;

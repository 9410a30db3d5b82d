-- One row is one claim of the study and what this file says of it: supported where every model (or pair of sizes) that
-- can tell supports it, not supported where none does, else mixed; cannot tell where none can.
-- needs: claim_findings_of, claim_list
create or replace macro claims_of(models) as table
select
    c.claim,
    c.title,
    case
        when count(f.claim) filter (f.verdict <> 'cannot tell') = 0 then 'cannot tell'
        when bool_and(f.verdict = 'supported') filter (f.verdict <> 'cannot tell') then 'supported'
        when bool_and(f.verdict = 'not supported') filter (f.verdict <> 'cannot tell') then 'not supported'
        else 'mixed'
    end as verdict,
    count(*) filter (f.verdict = 'supported') as supporting,
    count(*) filter (f.verdict = 'mixed') as mixed,
    count(*) filter (f.verdict = 'not supported') as opposing,
    count(*) filter (f.verdict = 'cannot tell') as cannot_tell,
    case
        when count(f.claim) = 0 then c.needs
        else string_agg(
            coalesce(f.model || coalesce(' and ' || f.larger, '') || ': ' || f.missing, ''), '; ' order by f.model, f.larger, f.method, f.conditions
        ) filter (f.missing is not null)
    end as missing,
    list({
        model: f.model, larger: f.larger, method: f.method, conditions: f.conditions, verdict: f.verdict, says: f.says,
        missing: f.missing
    } order by f.model, f.larger, f.method, f.conditions) filter (f.claim is not null) as findings,
    c.study_says,
    c.test,
    c.needs,
    c.version,
    c.v3_says
from claim_list c
left join claim_findings_of(models) f using (claim)
group by c.claim, c.title, c.study_says, c.test, c.needs, c.version, c.v3_says
order by c.claim;
comment on macro table claims_of is
    'claims of these models (a list of model_id) alone; null for all.';

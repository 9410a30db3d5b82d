-- What each model, or pair of sizes, says of each of the study's claims.
select claim, title, model, larger, method, verdict, says, missing, conditions
from claim_findings
order by claim, model, larger, method, conditions;

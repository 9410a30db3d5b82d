-- What each of the chosen models (null: all), or pair of their sizes, says of each of the study's claims.
select claim, title, model, larger, method, verdict, says, missing, conditions
from claim_findings_of($models::varchar[])
order by claim, model, larger, method, conditions;

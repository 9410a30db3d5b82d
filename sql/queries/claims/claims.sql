-- The study's claims and what the chosen models of this file say of each (null: all), with the models that say it.
select
    claim, title, verdict, supporting, mixed, opposing, cannot_tell, missing, findings, study_says, test, needs,
    version, v3_says
from claims_of($models::varchar[])
order by claim;

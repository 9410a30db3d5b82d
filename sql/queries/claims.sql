-- The study's claims and what this file says of each, with the models that say it.
select
    claim, title, verdict, supporting, mixed, opposing, cannot_tell, missing, findings, study_says, test, needs
from claims
order by claim;

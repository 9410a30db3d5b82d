-- Counts of right-or-wrong scores whose interval is not known: just compared, or by an older version.
select distinct lost, gained, pairs
from (
    select lost, gained, pairs from paired_deltas where lost is not null and share_low is null
    union all
    select lost, gained, pairs from paired_methods where lost is not null and share_low is null
)
order by all
limit 20000;

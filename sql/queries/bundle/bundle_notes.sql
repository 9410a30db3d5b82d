-- By which bundles rows of a run came into this file.
select recorded_at, message as file, detail as fingerprint
from events
where run_id = $run_id and kind = 'bundle'
order by recorded_at;

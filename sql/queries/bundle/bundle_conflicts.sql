-- Runs of which this file has other rows than the bundle, for events that both have; without what is not shared.
with
known as (select run_id, seq from bundle_events where known),
theirs as (select {columns} from read_parquet($path) semi join known using (run_id, seq)),
ours as (select {columns} from "{table}" semi join known using (run_id, seq))
select distinct run_id
from ((from theirs except all from ours) union all (from ours except all from theirs))
order by run_id;

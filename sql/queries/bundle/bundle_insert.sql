insert into "{table}" by name
from read_parquet($path)
semi join (select run_id, seq from bundle_events where not known) using (run_id, seq);

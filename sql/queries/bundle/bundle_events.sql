-- The events of a bundle that is about to be imported, and whether this file has them already.
create or replace temp table bundle_events as
select b.run_id, b.seq, b.kind, b.journal_end, m.run_id is not null as known
from read_parquet($path) b
left join merged_events m using (run_id, seq);

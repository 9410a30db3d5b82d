-- Rows that belong to no event of the bundle.
select count(*) from read_parquet($path) anti join bundle_events using (run_id, seq);

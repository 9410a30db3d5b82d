-- Documents or answers of runs that the bundle does not name.
select count(*) from read_parquet($path) where not coalesce(list_contains($run_ids::varchar[], run_id), false);

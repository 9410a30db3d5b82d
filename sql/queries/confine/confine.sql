-- For good: DuckDB does not open it again while the file is open.
set enable_external_access = false;

-- These few say what a file holds before anything of it may be trusted: a macro of its own may go by the name of any
-- function or operator of DuckDB's, so that they call no other than these tables, by their whole names.
select database_name from system.main.duckdb_databases() where not internal;

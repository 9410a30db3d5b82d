-- DuckDB's own functions and types.
select function_name from system.main.duckdb_functions() where internal
union all
select type_name from system.main.duckdb_types() where internal;

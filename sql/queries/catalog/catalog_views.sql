select database_name, schema_name, view_name, sql from system.main.duckdb_views() where not internal;

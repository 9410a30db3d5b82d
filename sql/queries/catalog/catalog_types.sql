select database_name, schema_name, type_name from system.main.duckdb_types() where not internal;

select database_name, schema_name, table_name, sql from system.main.duckdb_tables() where not internal;

select database_name, schema_name, trigger_name, table_name from system.main.duckdb_triggers();

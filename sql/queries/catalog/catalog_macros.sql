select database_name, schema_name, function_name, function_type, parameters, macro_definition
from system.main.duckdb_functions() where not internal;

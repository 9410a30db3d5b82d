select
    count(*) filter (table_name = 'schema_migrations') > 0 as ours,
    count(*) > 0 as any_table
from duckdb_tables()
where database_name = current_database() and not internal;

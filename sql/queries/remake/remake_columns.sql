-- The base tables of a database, with their columns: what goes by a table's name may be a view by now.
select t.table_name, list(c.column_name order by c.column_index) as columns
from duckdb_tables() t
join duckdb_columns() c using (database_name, schema_name, table_name)
where t.database_name = $database and t.schema_name = 'main' and not t.internal
group by t.table_name;

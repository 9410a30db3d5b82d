-- Every table with rows that belong to a run.
select c.table_name
from duckdb_columns() c
join duckdb_tables() t using (table_name)
where c.column_name = 'run_id'
order by c.table_name;

-- Every table whose rows come from an event of a run.
select r.table_name
from duckdb_columns() r
join duckdb_columns() s using (table_name)
join duckdb_tables() t using (table_name)
where r.column_name = 'run_id' and s.column_name = 'seq'
order by r.table_name;

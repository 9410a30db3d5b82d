-- The columns of a table or view that console_names has, with what each holds: the connection's own where there is one.
select column_name as name, data_type as type, comment
from (
    select *, dense_rank() over (order by database_name = 'temp' desc) as place
    from duckdb_columns()
    where not internal and if(schema_name = 'main', table_name, schema_name || '.' || table_name) = $name
)
where place = 1
order by column_index;

-- Tables and views with their columns, for completion: views first. Where the file's own view of a name is not ours, the
-- connection has one of its own, which is the one that is meant.
with named as (
    select database_name, schema_name, table_name as name, 'table' as kind, comment, temporary
    from duckdb_tables() where not internal
    union all
    select database_name, schema_name, view_name, 'view', comment, temporary from duckdb_views() where not internal
),
meant as (
    select * from named qualify row_number() over (partition by schema_name, name order by temporary desc) = 1
)
select if(t.schema_name = 'main', t.name, t.schema_name || '.' || t.name) as name, t.kind, t.comment,
    list(c.column_name order by c.column_index) as columns, list(c.data_type order by c.column_index) as types
from meant t
join duckdb_columns() c
    on c.database_name = t.database_name and c.schema_name = t.schema_name and c.table_name = t.name and not c.internal
group by t.schema_name, t.name, t.kind, t.comment
order by t.kind = 'table', t.schema_name <> 'main', t.name;

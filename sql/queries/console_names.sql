-- Tables and views with their columns, for completion: views first.
select t.name, t.kind, t.comment, list(c.column_name order by c.column_index) as columns,
    list(c.data_type order by c.column_index) as types
from (
    select table_name as name, 'table' as kind, comment from duckdb_tables() where not internal
    union all
    select view_name, 'view', comment from duckdb_views() where not internal
) t
join duckdb_columns() c on c.table_name = t.name and not c.internal
group by t.name, t.kind, t.comment
order by t.kind = 'table', t.name;

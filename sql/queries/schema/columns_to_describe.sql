-- Columns of these tables and views, the file's or the connection's own, of which nothing is said where they are made
-- (`told`), and what is to be said: what sql/comments/columns.sql has for the name, else what our tables say of it, if
-- they agree.
with
named as (
    {columns}
),
known as (
    select database_name = 'temp' as temporary, table_name, column_name, comment
    from duckdb_columns()
    where not internal and schema_name = 'main' and database_name in (current_database(), 'temp')
),
inherited as (
    select column_name, any_value(comment) as comment
    from known
    where comment is not null and not temporary and list_contains($tables, table_name)
    group by column_name
    having count(distinct comment) = 1
)
select k.table_name, k.column_name, coalesce(n.comment, i.comment)
from known k
left join named n using (column_name)
left join inherited i using (column_name)
where k.temporary = $temporary and list_contains($names, k.table_name)
    and not list_contains($told, k.table_name || '.' || k.column_name)
    and coalesce(n.comment, i.comment) is not null
order by all;

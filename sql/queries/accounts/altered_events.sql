-- The events of a run whose rows are not those in the ledger: how many are gone and added, and what cell they are of.
with
noted as (
    select seq, kind, coalesce(row_count, 1) as row_count, row_digest from merged_events where run_id = $run_id
),
found as (
    select seq, count(*) as row_count, (sum(digest) % 18446744073709551616)::ubigint as row_digest
    from ({row_digests})
    where run_id = $run_id
    group by seq
),
cell as (
    select seq, any_value(level) as level, any_value(task) as task from cells where run_id = $run_id group by seq
)
select
    greatest(coalesce(noted.row_count, 0) - coalesce(found.row_count, 0), 0) as gone,
    greatest(coalesce(found.row_count, 0) - coalesce(noted.row_count, 0), 0) as added,
    coalesce(task || ' at level ' || level, 'an event ' || kind, 'of no event') as what
from noted
full join found using (seq)
left join cell using (seq)
where (coalesce(found.row_count, 0), coalesce(found.row_digest, 0)) is distinct from (noted.row_count, noted.row_digest)
order by seq;

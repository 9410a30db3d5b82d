-- Runs whose rows, taken together, are not those in the ledger. Each digest counts as often as its event's number says, so
-- that a row which was given to another event is noticed. In 128 bits no sum overflows, whatever the number.
with
noted as (
    select
        run_id, sum(row_count) as row_count,
        sum(row_digest::hugeint * (seq % 65521 + 65522)) % 18446744073709551616 as row_digest,
        bool_or(row_digest is null) as unnoted
    from merged_events
    group by run_id
),
found as (
    select
        run_id, count(*) as row_count,
        sum(digest::hugeint * (seq % 65521 + 65522)) % 18446744073709551616 as row_digest
    from ({row_digests})
    group by run_id
)
select run_id
from noted
full join found using (run_id)
where unnoted is distinct from false
    or (coalesce(found.row_count, 0), coalesce(found.row_digest, 0))
        is distinct from (noted.row_count, noted.row_digest)
order by run_id;

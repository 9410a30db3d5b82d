-- Of events in the ledger that have none: of a run from $first_seq on, or of all runs where $run_id is null. Only a reading
-- of the GPU, or a list of measurements, may have no rows.
update merged_events
set row_count = found.row_count, row_digest = found.row_digest
from (
    select
        run_id, seq, any_value(kind) as kind, count(digest)::integer as row_count,
        (coalesce(sum(digest), 0) % 18446744073709551616)::ubigint as row_digest
    from (
        from merged_events
        where row_digest is null and ($run_id is null or run_id = $run_id) and ($run_id is null or seq >= $first_seq)
    ) due
    left join (
        from ({row_digests}) where ($run_id is null or run_id = $run_id) and ($run_id is null or seq >= $first_seq)
    ) using (run_id, seq)
    group by run_id, seq
) found
where merged_events.run_id = found.run_id and merged_events.seq = found.seq
    and (found.row_count > 0 or found.kind in ('gpu', 'measured'));

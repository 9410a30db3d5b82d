-- One run at a time, by equality: DuckDB then skips the blocks of the table that hold other runs.
insert into pairing_samples
from samples
where run_id = $run_id and seq >= $first_seq and seq <= $last_seq and list_contains($seqs, seq);

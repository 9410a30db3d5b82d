-- What the file has of an import: its last event, the reader that it was made by, and the tasks whose samples are here.
select
    (select max(seq) from merged_events where run_id = $run_id) as last,
    (select try_cast(plan ->> 'reader' as integer) from runs where run_id = $run_id order by seq desc limit 1) as reader,
    (select coalesce(list(distinct task), []) from samples where run_id = $run_id) as sampled;

-- Where the file has lost its ledger.
insert into merged_events by name
select run_id, seq, 'carried' as kind, 0 as journal_end, current_timestamp at time zone 'UTC' as merged_at from carried
anti join merged_events using (run_id, seq);

select coalesce(max(journal_end), 0) as journal_end, coalesce(max(seq), -1) as last_seq
from merged_events where run_id = $run_id and seq >= 0;

-- The machine that a run's profile was taken on, the last time that it was measured.
select * exclude (run_id, seq, recorded_at) from machines where run_id = $run_id order by seq desc limit 1;

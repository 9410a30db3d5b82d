-- Plans that say nothing of their conditions in columns.
select run_id, seq, origin, plan, conditions, dtype from runs where published is null order by run_id, seq;

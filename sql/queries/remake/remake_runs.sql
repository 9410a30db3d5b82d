select count(*) as events, count(distinct run_id) as runs from carried;

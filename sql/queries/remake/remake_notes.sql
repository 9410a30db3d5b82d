-- Which bundles runs came in: no event of theirs, and so not among those that are carried.
insert into main.events by name
select {columns} from before.main.events
where kind = 'bundle' and run_id in (select run_id from carried)
    and (run_id, seq) not in (select run_id, seq from carried);

-- Events that the journals do not hold: of imports, of deleted folders, of journals that were cut back.
create or replace temp table carried as
select distinct run_id, seq from ({events}) anti join main.merged_events using (run_id, seq);

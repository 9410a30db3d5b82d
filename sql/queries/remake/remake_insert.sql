insert into main."{table}" by name
select {columns} from before.main."{table}" semi join carried using (run_id, seq);

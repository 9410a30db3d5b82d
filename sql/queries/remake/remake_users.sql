-- What a user changed of a table that is the user's to change.
insert into main."{table}" by name
select {columns} from before.main."{table}" except all select {columns} from main."{table}";

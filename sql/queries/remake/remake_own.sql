create table main."{table}" as from before.main."{table}";

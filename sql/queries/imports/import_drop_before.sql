drop table if exists import_before;

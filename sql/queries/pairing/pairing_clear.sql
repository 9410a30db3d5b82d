delete from paired_deltas;
delete from paired_methods;

delete from paired_deltas;

-- What its texts and lists take, row by row: a file may name a long one once for a million rows.
select coalesce(sum({bytes}), 0)::double from read_parquet($path);

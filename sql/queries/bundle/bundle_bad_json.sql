select count(*) from read_parquet($path) where "{column}" is not null and not json_valid("{column}"::varchar);

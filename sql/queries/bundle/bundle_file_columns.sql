select column_name, column_type from (describe from read_parquet($path)) order by column_name;

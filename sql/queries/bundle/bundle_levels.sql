select distinct level from read_parquet($path) where level is not null limit {most};

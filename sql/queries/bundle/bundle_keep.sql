-- One run's documents or answers, out of a bundle's.
copy (from read_parquet('{source}') where run_id = '{run_id}') to '{path}' (format parquet, compression zstd);

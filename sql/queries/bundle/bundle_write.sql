copy (
    select {columns} from "{table}" t semi join bundled_events e using (run_id, seq)
) to '{path}' (format parquet, compression zstd);

copy {kind} to '{path}' (format parquet, compression zstd);

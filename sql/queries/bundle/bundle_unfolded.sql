-- What a table's file says that it takes when it is unpacked.
select coalesce(sum(total_uncompressed_size), 0) from parquet_metadata($path);

select doc_id, filter, metric, value, weight, response from read_parquet($path) limit 0;

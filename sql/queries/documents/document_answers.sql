-- What one document, or each, was answered in one cell and how that scored: files from before there were answers lack their
-- columns.
select * from read_parquet($path) where $doc_id::integer is null or doc_id = $doc_id;

-- The hash of the views and macros that were put into the file last.
select arg_max(sha256, applied_at) from schema_views;

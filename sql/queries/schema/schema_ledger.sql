-- Which migrations and views this file carries. Created before the first migration.
create table if not exists schema_migrations (
    version integer primary key,
    name varchar not null,
    sha256 varchar not null,
    applied_at timestamp not null
);
comment on table schema_migrations is 'Changes of the schema that were applied to this file, in order.';
create table if not exists schema_views (
    sha256 varchar not null,
    applied_at timestamp not null
);
comment on table schema_views is 'Hash of the views'' definitions, as last put into this file.';

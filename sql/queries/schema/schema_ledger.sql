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
comment on column schema_migrations.version is 'Number of the change, from 1.';
comment on column schema_migrations.name is 'Name of the change''s file.';
comment on column schema_migrations.sha256 is 'SHA-256 of that file.';
comment on column schema_migrations.applied_at is 'When it was applied to this file; UTC.';
comment on column schema_views.sha256 is 'SHA-256 of all definitions and of what is said of columns.';
comment on column schema_views.applied_at is 'When they were put into this file; UTC: the latest counts.';

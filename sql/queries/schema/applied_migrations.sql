select version, name, sha256 from schema_migrations order by version;

insert into schema_migrations values ($version, $name, $sha256, current_timestamp at time zone 'UTC');

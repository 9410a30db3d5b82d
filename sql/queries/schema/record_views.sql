insert into schema_views values ($sha256, current_timestamp at time zone 'UTC');

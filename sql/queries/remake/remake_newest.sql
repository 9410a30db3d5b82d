select max(version) from before.main.schema_migrations;

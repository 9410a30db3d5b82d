drop table if exists bundle_events;

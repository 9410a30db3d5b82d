insert into paired_deltas by name
select * exclude (of_methods) from pairing_found where not of_methods;

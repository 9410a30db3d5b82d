insert into paired_methods by name
select * exclude (of_methods) from pairing_found where of_methods;

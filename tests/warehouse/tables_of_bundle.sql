-- A table without what tells when it came into this file.
select * from (from "{table}" where seq >= 0) order by all;

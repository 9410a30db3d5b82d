-- The shipped version of a rule once more, as its newest.
insert into rules
select
    rule, (select max(version) from rules where rule = $rule) + 1, current_timestamp at time zone 'UTC', description,
    prefer, measure, true, false
from rules
where rule = $rule and version = $version
returning version;

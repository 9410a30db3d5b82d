insert into rule_choices
select coalesce(max(number), 0) + 1, $rule, current_timestamp at time zone 'UTC' from rule_choices;

insert into rule_floors
select rule, $new, benchmark, measure, at_least, at_most from rule_floors where rule = $rule and version = $version;

insert into rule_weights
select rule, $new, benchmark, weight from rule_weights where rule = $rule and version = $version;

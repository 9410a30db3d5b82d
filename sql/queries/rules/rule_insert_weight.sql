insert into rule_weights values ($rule, $version, $benchmark, $weight);

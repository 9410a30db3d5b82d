insert into rule_floors values ($rule, $version, $benchmark, $measure, $at_least, $at_most);

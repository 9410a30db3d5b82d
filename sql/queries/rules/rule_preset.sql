-- The rule as it shipped, if it did.
select max(version) from rules where rule = $rule and preset;

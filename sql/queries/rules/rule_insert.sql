insert into rules
select
    $rule, coalesce(max(version), 0) + 1, current_timestamp at time zone 'UTC', $description, $prefer, $measure,
    false, $removed
from rules
where rule = $rule
returning version;

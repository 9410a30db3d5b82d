insert into task_versions
select task, any_value(version)
from (select distinct task, version from cells where version is not null)
group by task
having count(*) = 1;

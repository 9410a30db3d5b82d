delete from task_versions;

delete from pairing_due
where model_id = $model_id and conditions is not distinct from $conditions and list_contains($tasks, task);

-- Each document's value at a pruned width and at full width, of a metric of the tasks named.
select a.level, a.task, a.doc_id, a.value as after, b.value as before, a.weight, a.response = b.response as same
from samples a
join samples b using (run_id, task, doc_id, metric, filter)
where b.level = '0' and a.level <> '0' and list_contains($tasks, a.task) and a.metric = $metric
order by a.level, a.task, a.doc_id;

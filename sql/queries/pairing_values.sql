select after, before, weight_after, weight_before
from pairing_pairs
where work = $work
order by doc_id;

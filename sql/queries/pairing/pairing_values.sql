select after, before, weight_after, weight_before, terms_after, terms_before
from pairing_pairs
where work = $work
order by doc_id;

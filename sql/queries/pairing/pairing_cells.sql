-- The cells whose samples are needed, by run.
select run_id, list(distinct seq) as seqs
from (
    select w.run_id, p.seq from pairing_parts p join pairing_work w using (work)
    union
    select w.baseline_run_id, p.baseline_seq from pairing_parts p join pairing_work w using (work)
)
where seq is not null
group by run_id
order by run_id;

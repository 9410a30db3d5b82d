-- Each document's two values, side by side; a document that only one of the two has keeps a null on the other side.
create or replace temp table pairing_pairs as
with
after as (
    select p.work, p.part, s.doc_id, s.value, s.weight, s.response, s.terms
    from pairing_parts p
    join pairing_work w using (work)
    join pairing_samples s
        on s.run_id = w.run_id and s.seq = p.seq and s.level = w.level and s.task = p.part
        and s.metric = w.metric and s.filter = w.filter
),
before as (
    select p.work, p.part, s.doc_id, s.value, s.weight, s.response, s.terms
    from pairing_parts p
    join pairing_work w using (work)
    join pairing_samples s
        on s.run_id = w.baseline_run_id and s.seq = p.baseline_seq and s.level = w.baseline_level and s.task = p.part
        and s.metric = w.metric and s.filter = w.filter
)
select
    work, part, doc_id,
    a.doc_id is not null and b.doc_id is not null as paired,
    a.value as after,
    b.value as before,
    a.weight as weight_after,
    b.weight as weight_before,
    a.terms as terms_after,
    b.terms as terms_before,
    a.response as answer_after,
    b.response as answer_before
from after a
full join before b using (work, part, doc_id);

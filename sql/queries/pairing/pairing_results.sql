-- What the pairs say of each metric. A mean is believed only if it gives both recorded values again; a metric that is
-- none comes back with a null estimator, for other ways to be tried.
create or replace temp table pairing_results as
with
part as (
    select
        work,
        part,
        count(*) as pairs,
        count(distinct doc_id) as documents,
        bool_and(paired) as all_paired,
        bool_and(coalesce(isfinite(after) and isfinite(before), false)) as all_numbers,
        bool_and(after in (0, 1) and before in (0, 1)) as right_or_wrong,
        case when all_numbers then avg(after order by doc_id) end as after,
        case when all_numbers then avg(before order by doc_id) end as before,
        case when all_numbers then var_samp(after - before order by doc_id) end as variance,
        count(*) filter (before = 1 and after = 0) as lost,
        count(*) filter (before = 0 and after = 1) as gained,
        count(*) filter (answer_after is not null and answer_before is not null) as answers,
        count(*) filter (answer_after::varchar = answer_before::varchar) as equal_answers
    from pairing_pairs
    group by work, part
),
total as (
    select
        w.work,
        any_value(w.is_group) as is_group,
        any_value(w.value) as value,
        any_value(w.baseline) as baseline,
        count(p.part) as parts,
        sum(s.pairs)::bigint as pairs,
        case
            when bool_or(p.asked = false) then 'the two were asked different questions'
            when count(p.part) = 0 or bool_or(s.pairs is null) then 'there are no results per document'
            when bool_or(p.seq is null or p.baseline_seq is null) then 'the two are made of different tasks'
            when bool_or(p.asked is null) then 'nothing says whether the two were asked the same questions'
            when not bool_and(s.all_paired) then 'the two were scored on different documents'
            when sum(s.pairs) <> sum(s.documents) then 'documents were scored several times'
            when sum(s.pairs) < 2 then 'there is only one document'
        end as problem,
        bool_and(s.all_numbers) as all_numbers,
        bool_and(s.right_or_wrong) as right_or_wrong,
        sum(s.lost)::bigint as lost,
        sum(s.gained)::bigint as gained,
        sum(s.answers)::bigint as answers,
        sum(s.equal_answers) as equal_answers,
        sum(s.pairs * s.after order by p.part) / sum(s.pairs) as after_by_size,
        sum(s.pairs * s.before order by p.part) / sum(s.pairs) as before_by_size,
        avg(s.after order by p.part) as after_of_means,
        avg(s.before order by p.part) as before_of_means
    from pairing_work w
    left join pairing_parts p using (work)
    left join part s on s.work = p.work and s.part = p.part
    group by w.work
),
chosen as (
    select
        *,
        case
            when problem is not null or not all_numbers then null
            when abs(after_by_size - value) <= 1e-9 * greatest(1, abs(value))
                and abs(before_by_size - baseline) <= 1e-9 * greatest(1, abs(baseline))
                then case when is_group then 'mean by size' else 'mean' end
            when is_group
                and abs(after_of_means - value) <= 1e-9 * greatest(1, abs(value))
                and abs(before_of_means - baseline) <= 1e-9 * greatest(1, abs(baseline))
                then 'mean of means'
        end as estimator
    from total
),
weighted as (
    select
        c.work,
        s.part,
        s.pairs,
        s.variance,
        s.after - s.before as delta,
        c.value - c.baseline as total_delta,
        case when c.estimator = 'mean of means' then 1 / c.parts else s.pairs / c.pairs end as share
    from chosen c
    join part s using (work)
    where c.estimator is not null
),
spread as (
    select
        work,
        case when bool_and(variance is not null) then sqrt(sum(share * share * variance / pairs order by part)) end as paired_stderr,
        sqrt(count(*) / (count(*) - 1) * sum((share * (delta - total_delta)) ** 2 order by part)) as clustered_stderr
    from weighted
    group by work
)
select
    c.work,
    c.problem,
    c.estimator,
    case when c.problem is null then c.pairs end as pairs,
    case when c.is_group then c.parts end as parts,
    s.paired_stderr,
    case when c.is_group and c.parts > 1 then s.clustered_stderr end as clustered_stderr,
    case when c.estimator is not null and c.right_or_wrong then c.lost end as lost,
    case when c.estimator is not null and c.right_or_wrong then c.gained end as gained,
    case when c.estimator is not null and c.right_or_wrong then mcnemar_p(c.lost, c.gained) end as mcnemar_p,
    case when c.problem is null then c.answers end as answers,
    case when c.problem is null then c.equal_answers / nullif(c.answers, 0) end as agreement,
    c.is_group
from chosen c
left join spread s using (work);

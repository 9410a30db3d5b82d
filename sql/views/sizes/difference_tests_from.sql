-- One row is one pair of numbers, and whether the second differs from the first by more than noise: rows of a relation by
-- its name, with what is said of their difference. Where the two were compared question by question (`estimator` and what
-- follows from it, as in paired_methods), that decides; else z on the difference, the two errors taken as independent
-- (`stderr_apart`). Perplexities have a `factor`, and are compared on the logarithm of their ratio (`ratio_stderr_apart`),
-- whose interval is told in the amounts' units: `unit` is 100 for percentages, `scale` brings what was compared into
-- them. `p_kind` says which test it was. Holm's correction is over the rows of one `table_key`.
-- needs: holm_step, normal_p, z95
create or replace macro difference_tests_from(pairs_name) as table
with
-- A step for each thing that others are made of: a name used in its own select is written out wherever it stands.
compared as (
    select
        *,
        second_amount - first_amount as difference,
        case
            when clustered_stderr is not null then
                case when share_low is not null and estimator = 'mean by size' then 'score, clustered'
                else 'z, clustered' end
            when paired_stderr is not null then
                case when share_low is not null then 'score, paired' else 'z, paired' end
            when bootstrap_stderr is not null then 'bootstrap'
            else 'z, independent'
        end as test,
        greatest(clustered_stderr, paired_stderr) as mean_stderr,
        ln(second_factor / first_factor) as log_ratio
    from query_table(pairs_name)
),
with_ratio as (
    select
        *,
        case
            when log_ratio is null then null
            when test = 'bootstrap' and bootstrap_scale = 'ln' then bootstrap_stderr
            else ratio_stderr_apart
        end as ratio_stderr
    from compared
),
with_stderr as (
    select
        *,
        case
            when log_ratio is not null then unit * second_factor * ratio_stderr
            when test = 'bootstrap' then scale * bootstrap_stderr
            when test in ('score, paired', 'score, clustered') and mean_stderr = 0
                then scale * (share_high - share_low) / (2 * z95())
            when test <> 'z, independent' then scale * mean_stderr
            else stderr_apart
        end as stderr
    from with_ratio
),
with_z as (
    select
        *,
        case
            when log_ratio is not null then case when ratio_stderr > 0 then log_ratio / ratio_stderr end
            when test = 'score, clustered' then case when mean_stderr > 0 then difference / (scale * mean_stderr) end
            when stderr > 0 then difference / stderr
        end as z
    from with_stderr
),
tested as (
    select
        * exclude (p_of_z),
        case
            when log_ratio is not null and test = 'bootstrap' then unit * first_factor * (exp(bootstrap_low) - 1)
            when log_ratio is not null then unit * first_factor * (exp(log_ratio - z95() * ratio_stderr) - 1)
            when test = 'bootstrap' then scale * bootstrap_low
            when test = 'score, paired' then scale * share_low
            when test = 'score, clustered' then
                least(scale * share_low, difference - z95() * scale * mean_stderr)
            else difference - z95() * stderr
        end as ci_low,
        case
            when log_ratio is not null and test = 'bootstrap' then unit * first_factor * (exp(bootstrap_high) - 1)
            when log_ratio is not null then unit * first_factor * (exp(log_ratio + z95() * ratio_stderr) - 1)
            when test = 'bootstrap' then scale * bootstrap_high
            when test = 'score, paired' then scale * share_high
            when test = 'score, clustered' then
                greatest(scale * share_high, difference + z95() * scale * mean_stderr)
            else difference + z95() * stderr
        end as ci_high,
        case
            when test = 'bootstrap' then bootstrap_p
            when test = 'score, paired' then share_p
            when log_ratio is not null then p_of_z
            when test = 'score, clustered' then greatest(share_p, case
                when mean_stderr > 0 then p_of_z when difference = 0 then 1 else 0
            end)
            when stderr > 0 then p_of_z
            when stderr = 0 and difference = 0 and test <> 'z, independent' then 1
        end as p_value
    from (select *, normal_p(z) as p_of_z from with_z)
),
ranked as (
    select
        *,
        case when p_value is not null then
            holm_step(p_value, count(*) over tables, row_number() over (tables order by p_value, position, task))
        end as p_stepped
    from tested
    window tables as (partition by table_key, p_value is not null)
),
corrected as (
    select
        *,
        case when p_value is not null then
            max(p_stepped) over (
                partition by table_key, p_value is not null
                order by p_value, position, task
                rows between unbounded preceding and current row
            )
        end as p_holm
    from ranked
)
select
    * exclude (test, mean_stderr, log_ratio, ratio_stderr, z, p_stepped),
    case when p_value is not null then test end as p_kind,
    case
        when p_holm is null or higher_is_better is null then null
        when p_holm > 0.05 then 'noise'
        when (difference > 0) = higher_is_better then 'second'
        else 'first'
    end as better_off
from corrected;
comment on macro table difference_tests_from is
    'Whether two numbers differ by more than noise, for the rows of a relation by its name, which says what was compared.';

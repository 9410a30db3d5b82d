-- One row is one line through the widths of a model (one benchmark, method and conditions): least squares over points by
-- their relation's name, weighted by their errors where all are known. A width without an error leaves the whole line
-- unweighted. x is in steps of 10 % of the neurons; the exponential is fitted to perplexities alone. Sums have an order.
create or replace macro width_lines_from(points_name) as table
with
weighted as (
    select
        *,
        pruning_pct / 10 as x,
        count(stderr) over line = count(*) over line as all_known,
        case when all_known then 1 / (stderr * stderr) else 1 end as weight
    from query_table(points_name)
    window line as (partition by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter)
),
centred as (
    select
        *,
        sum(weight * x) over line / sum(weight) over line as mean_x,
        sum(weight * value) over line / sum(weight) over line as mean_y
    from weighted
    window line as (
        partition by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter
        order by pruning_pct, value, weight
        rows between unbounded preceding and unbounded following
    )
)
select
    model_id, method, repair, conditions, task, num_fewshot, version, metric, filter,
    any_value(model) as model,
    any_value(benchmark) as benchmark,
    any_value(position) as position,
    any_value(kind) as kind,
    any_value(higher_is_better) as higher_is_better,
    count(*) as widths,
    bool_and(all_known) as weighted,
    count(distinct x) as distinct_x,
    sum(weight * (x - mean_x) ** 2 order by pruning_pct, value, weight) as sxx,
    sum(weight * (x - mean_x) * (value - mean_y) order by pruning_pct, value, weight) as sxy,
    sum(weight * (value - mean_y) ** 2 order by pruning_pct, value, weight) as syy,
    regr_r2(value, x order by pruning_pct, value) as line_r2,
    regr_slope(ln(value), x order by pruning_pct, value) filter (kind = 'perplexity' and value > 0) as log_slope,
    regr_sxx(ln(value), x order by pruning_pct, value) filter (kind = 'perplexity' and value > 0) as log_sxx,
    regr_syy(ln(value), x order by pruning_pct, value) filter (kind = 'perplexity' and value > 0) as log_syy,
    regr_r2(ln(value), x order by pruning_pct, value) filter (kind = 'perplexity' and value > 0) as log_r2,
    count(*) filter (kind = 'perplexity' and value > 0) as log_n
from centred
group by model_id, method, repair, conditions, task, num_fewshot, version, metric, filter;
comment on macro table width_lines_from is 'Lines through widths, of the points of a relation by its name.';

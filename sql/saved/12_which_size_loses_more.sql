-- At the same percentage: which of two models loses more of its own score, where that is beyond noise?
select smaller, larger, basis_value as pruning_pct, benchmark, smaller_amount as smaller_pct, larger_amount as larger_pct,
    difference, ci_low, ci_high, p_holm, better_off
from size_tests
where basis = 'percentage' and measure = 'percent' and better_off is not null
order by smaller, larger, pruning_pct, position;

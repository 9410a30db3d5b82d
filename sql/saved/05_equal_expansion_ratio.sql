-- Two models at the same expansion ratio (intermediate size over hidden size).
select basis_value as ratio, benchmark, smaller, smaller_pruning_pct, smaller_value, larger, larger_pruning_pct,
    larger_value
from size_comparison
where basis = 'expansion ratio'
order by ratio desc, position;

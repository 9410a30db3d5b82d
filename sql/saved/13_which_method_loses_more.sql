-- Which of two methods or repairs loses more, on the same questions and the same held-out text?
select
    model, pruning_pct, benchmark, metric, first_method, first_repair, second_method, second_repair, measure, difference,
    ci_low, ci_high, p_holm, loses_more
from method_tests
order by model, pruning_pct, benchmark, metric, p_holm;

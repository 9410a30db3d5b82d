-- McNemar's exact test, two-sided: twice the binomial probability of at most the smaller count among lost + gained
-- tosses of a fair coin, at most 1.
create or replace macro mcnemar_p(lost, gained) as
    case
        when lost is null or gained is null then null
        when lost + gained = 0 then 1.0::double
        else least(1, 2 * list_sum(list_transform(
            range(0, least(lost, gained) + 1),
            lambda k: exp(
                lgamma(lost + gained + 1) - lgamma(k + 1) - lgamma(lost + gained - k + 1)
                - (lost + gained) * ln(2))
        )))
    end;
comment on macro mcnemar_p is 'McNemar''s exact test, two-sided, on the questions lost and gained.';

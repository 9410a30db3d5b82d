-- Two-sided p value of Student's t with a whole number of degrees of freedom. Far out it is the regularised incomplete
-- beta function I_x(df / 2, 1 / 2) at x = df / (df + t^2), by its power series, whose terms are all positive; near
-- zero, where that converges slowly, 1 minus the finite sum of Abramowitz and Stegun 26.7.3 and 26.7.4.
create or replace macro student_p(t, df) as
    case
        when t is null or isnan(t) or df is null or df < 1 then null
        when isinf(t) then 0.0::double
        when t * t > 0.04 * df then
            exp(df / 2.0 * ln(df / (df + t * t)) + 0.5 * ln(t * t / (df + t * t))
                + lgamma(df / 2.0 + 0.5) - lgamma(df / 2.0 + 1) - lgamma(0.5))
            * list_sum(list_transform(
                range(0, ceil(least(40 / ln((df + t * t) / df), 1100))::bigint),
                lambda n: exp(
                    lgamma(df / 2.0 + 0.5 + n) - lgamma(df / 2.0 + 0.5) - lgamma(df / 2.0 + 1 + n)
                    + lgamma(df / 2.0 + 1) + n * ln(df / (df + t * t)))
            ))
        when df % 2 = 1 then
            1 - 2 / pi() * (atan(abs(t) / sqrt(df)) + case when df = 1 then 0 else
                abs(t) / sqrt(df + t * t) * list_sum(list_transform(
                    range(0, (df - 1) // 2),
                    lambda k: exp(
                        0.5 * ln(pi()) + lgamma(k + 1) - ln(2) - lgamma(k + 1.5)
                        + (2 * k + 1) * 0.5 * ln(df / (df + t * t)))
                )) end)
        else
            1 - abs(t) / sqrt(df + t * t) * list_sum(list_transform(
                range(0, df // 2),
                lambda k: exp(
                    lgamma(k + 0.5) - lgamma(0.5) - lgamma(k + 1) + k * ln(df / (df + t * t)))
            ))
    end;
comment on macro student_p is 'Two-sided p value of Student''s t with a whole number of degrees of freedom.';

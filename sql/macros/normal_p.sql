-- Two-sided p value of a standard normal z. DuckDB has no erf; this is Hart's rational approximation (1968, algorithm
-- 5666) as West gives it (Better approximations to cumulative normal functions, 2005): within 1e-15.
create or replace macro normal_p(z) as
    case
        when z is null or isnan(z) then null
        when abs(z) > 37 then 0.0::double
        when abs(z) < 7.07106781186547 then
            2 * exp(-z * z / 2)
            * ((((((3.52624965998911e-2 * abs(z) + 0.700383064443688) * abs(z) + 6.37396220353165) * abs(z)
                + 33.912866078383) * abs(z) + 112.079291497871) * abs(z) + 221.213596169931) * abs(z)
                + 220.206867912376)
            / (((((((8.83883476483184e-2 * abs(z) + 1.75566716318264) * abs(z) + 16.064177579207) * abs(z)
                + 86.7807322029461) * abs(z) + 296.564248779674) * abs(z) + 637.333633378831) * abs(z)
                + 793.826512519948) * abs(z) + 440.413735824752)
        else
            2 * exp(-z * z / 2) / 2.506628274631
            / (abs(z) + 1 / (abs(z) + 2 / (abs(z) + 3 / (abs(z) + 4 / (abs(z) + 0.65)))))
    end;
comment on macro normal_p is 'Two-sided p value of a standard normal z.';

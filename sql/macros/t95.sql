-- What 95 % of Student's t distribution lies within, on either side: from tables for up to three degrees of freedom, else
-- by Cornish and Fisher's expansion (1937), within 0.04 %.
-- needs: z95
create or replace macro t95(freedom) as
    case
        when freedom is null or freedom < 1 then null
        when freedom = 1 then 12.706204736432095
        when freedom = 2 then 4.302652729911275
        when freedom = 3 then 3.182446305283708
        else z95()
            + (z95() ** 3 + z95()) / (4 * freedom)
            + (5 * z95() ** 5 + 16 * z95() ** 3 + 3 * z95()) / (96 * freedom ** 2)
            + (3 * z95() ** 7 + 19 * z95() ** 5 + 17 * z95() ** 3 - 15 * z95()) / (384 * freedom ** 3)
            + (79 * z95() ** 9 + 776 * z95() ** 7 + 1482 * z95() ** 5 - 1920 * z95() ** 3 - 945 * z95())
                / (92160 * freedom ** 4)
    end::double;
comment on macro t95 is 'Student''s t distribution''s 97.5 % quantile at so many degrees of freedom.';

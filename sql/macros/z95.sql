-- What 95 % of a normal distribution lies within, on either side.
create or replace macro z95() as 1.959963984540054::double;
comment on macro z95 is 'The normal distribution''s 97.5 % quantile: half the width of a 95 % interval, in standard errors.';

-- Holm's correction (1979): the smallest of so many p values times their number, the next times one less, and so on; each
-- then counts at least as much as those before it, which is the largest of these steps so far in the order of p.
create or replace macro holm_step(p, tests, place) as least(1, p * (1 + tests - place));
comment on macro holm_step is
    'One of so many p values, the place-th smallest, times what Holm''s correction multiplies it by; at most 1.';

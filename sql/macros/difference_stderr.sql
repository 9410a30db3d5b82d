create or replace macro difference_stderr(one, other) as sqrt(one * one + other * other);
comment on macro difference_stderr is 'Standard error of the difference of two values whose errors are independent.';

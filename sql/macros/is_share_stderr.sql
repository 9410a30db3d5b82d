-- lm-eval's own error of a share, sqrt(p (1 - p) / (n - 1)), says that its values are 0 or 1; of a share of 0 or 1 it is 0.
create or replace macro is_share_stderr(score, stderr, n) as
    n > 1 and abs(stderr ** 2 * (n - 1) - score * (1 - score)) <= 1e-6;
comment on macro is_share_stderr is 'Whether an error is that of a share of n questions.';

create or replace temp table pairing_bootstraps (
    work bigint, estimator varchar, bootstrap_stderr double, bootstrap_low double, bootstrap_high double,
    bootstrap_p double, bootstrap_draws integer, bootstrap_scale varchar
);

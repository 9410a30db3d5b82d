select (select count(estimator) from paired_deltas) + (select count(estimator) from paired_methods);

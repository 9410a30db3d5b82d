select count(estimator) from paired_deltas;

insert into pairing_bootstraps values ($work, $estimator, $stderr, $low, $high, $p_value, $draws, $scale);

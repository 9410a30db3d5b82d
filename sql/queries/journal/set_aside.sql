update "{table}" set seq = seq - $shift where run_id = $run_id and seq >= $first_seq;

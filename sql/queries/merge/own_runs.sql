select count(distinct run_id) from runs where origin = 'run';

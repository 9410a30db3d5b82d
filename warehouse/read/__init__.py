"""What is asked of the results: deltas, runs, rules, claims, and where a number came from."""

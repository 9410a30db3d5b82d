"""Results: what each level changed, cell by cell, as a heat map, as plots, and down to its sources."""

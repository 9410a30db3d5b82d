"""Many token sequences in one row: every shared beginning is computed once."""

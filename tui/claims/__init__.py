"""Claims: what the results say of the study's claims."""

"""Results for elsewhere: tables for papers and programs, and bundles."""

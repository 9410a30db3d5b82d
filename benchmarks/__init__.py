"""Scripts behind the numbers in `docs/`, and what attacks the program; none of it is installed."""

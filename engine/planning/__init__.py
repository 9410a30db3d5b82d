"""What a run is going to do, from what a person typed to its plan, its size, memory and time; free of torch."""

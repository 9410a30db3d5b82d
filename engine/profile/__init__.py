"""What a width costs: time, memory and energy of a level, measured so that it is believed."""

"""What a run writes down, typed: levels, facts, conditions, events, and the fold from events to a run's state."""

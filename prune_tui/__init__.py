"""The entry: everything that prune-tui starts begins here, and finds its packages by `prune_tui.ours`."""

"""What all screens share beside widgets: questions and exports, colours, the clipboard, reading in threads."""

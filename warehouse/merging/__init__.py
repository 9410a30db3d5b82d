"""From journals to rows, and back to the journals where rows are doubted."""

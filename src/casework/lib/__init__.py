"""The ground every context stands on: configuration, keys, clock, forms, headers, errors; it knows no context."""

"""How dates and amounts are written, the same in the three languages but for the names of the months."""

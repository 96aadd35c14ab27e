"""Papers of the unit: numbered, frozen, printed, signed, checked; a case is an id to them."""

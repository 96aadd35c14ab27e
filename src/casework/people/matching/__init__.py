"""Who may be the same person: keys that bring pairs together, a score with its criteria, candidates on record."""

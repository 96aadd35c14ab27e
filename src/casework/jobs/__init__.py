"""Work that takes longer than a page: asked for in a row, done by a worker that may die and be followed by another."""

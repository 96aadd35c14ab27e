"""Template filters of exhibits."""

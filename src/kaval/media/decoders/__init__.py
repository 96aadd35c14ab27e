"""The decoder families, one module each; they run inside the confined process."""

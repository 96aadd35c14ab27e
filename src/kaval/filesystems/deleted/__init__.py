"""What readers of file systems share that judge what is left of deleted files."""

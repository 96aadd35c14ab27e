"""Checksums that several file systems keep over their metadata."""

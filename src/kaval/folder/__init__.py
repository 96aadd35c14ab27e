"""The examination folder: Parquet segments, the plan, unit records, the sealed store, the manifest.

The folder is the deliverable. It is written so that a power cut at any moment leaves either a unit that is
whole (its record names every segment with its SHA-256) or one that never happened.
"""

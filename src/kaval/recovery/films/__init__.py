"""Films of ISO base media whose index (``moov``) does not lie behind their data: which index belongs to which data.

A film is joined with an index only where that proves itself: every sample the index names lies inside the data, and the
samples stand where it says by their own form.
"""

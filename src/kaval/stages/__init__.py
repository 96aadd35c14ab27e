"""The stages: opening, listing, analysis. Each does one step on records; only the driver knows their order."""

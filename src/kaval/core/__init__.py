"""The waist of the engine: sources, records, locators, contracts, errors. Everything knows it; it knows nothing."""

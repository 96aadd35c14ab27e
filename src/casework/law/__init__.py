"""The law as dated rows, each with its source and who has verified it; nothing here is legal advice."""

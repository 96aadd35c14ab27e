"""Reports: an examination folder as a document for a person to sign and another to check."""

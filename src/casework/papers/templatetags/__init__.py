"""Names of kinds, languages and states for the templates."""

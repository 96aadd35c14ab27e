"""Persons, their names and roles, identifiers and whose they are, who is the same as whom, and who is under watch."""

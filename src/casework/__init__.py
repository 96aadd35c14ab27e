"""Casework: the platform of the unit, a tower of contexts on one ledger; see the README of each."""

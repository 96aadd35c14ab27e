"""Filters of the house for templates."""

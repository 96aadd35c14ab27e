"""The command of the one who runs the machine: set up, run, check, keep, bring back."""

"""Who works here: accounts, units, roles, second factors, sessions, and who may know which case."""

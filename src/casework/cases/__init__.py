"""Cases: register, first information reports, charges, clocks, court, decisions, tasks, the path of a child suspect."""

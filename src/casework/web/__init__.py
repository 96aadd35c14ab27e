"""The top of the tower: which contexts stand in this house, their addresses, and the first page."""

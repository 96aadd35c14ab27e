"""Exhibits: the numbered things in custody, who held them and why, their seals, their images and their papers."""

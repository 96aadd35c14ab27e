"""What file systems share that are read with the help of the dissect libraries."""

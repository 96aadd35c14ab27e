"""The ledger: what was done, by whom, to what, why; append-only and hash-chained."""

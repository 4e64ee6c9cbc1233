"""The ledger: one record a call, one item and one envelope a request. It carries the guarantee."""

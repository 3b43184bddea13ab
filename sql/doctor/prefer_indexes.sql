-- Until the transaction ends: whoever reads a table whole all the same has no index to use.
set local enable_seqscan = off

-- The exact answer.
SET enable_seqscan = on;
SET enable_indexscan = off;

-- By the index.
SET enable_seqscan = off;
SET enable_indexscan = on;

-- The access methods ivf, ivfflat and hnsw: options, settings, what they refuse, and what a small index answers.
CREATE DATABASE golden_index;
\c golden_index
CREATE EXTENSION vw CASCADE;
SELECT amname, opcname, opcintype::regtype, opcdefault, amvalidate(c.oid) AS valid
	FROM pg_opclass c JOIN pg_am a ON a.oid = opcmethod WHERE amname IN ('ivf', 'ivfflat', 'hnsw') ORDER BY 1, 3, 2;
CREATE TABLE t (id int PRIMARY KEY, v vector(3), any_size vector, word text);
INSERT INTO t SELECT i, ARRAY[i, 0, 1], ARRAY[i, 1] FROM generate_series(-2, 3) i;
INSERT INTO t VALUES (4, '[0,0,0]', '[0,0]'), (5, NULL, NULL);
-- Options.
CREATE INDEX a ON t USING ivf (v);
CREATE INDEX b ON t USING ivfflat (v) WITH (lists = 1);
CREATE INDEX c ON t USING hnsw (v vector_cosine_ops) WITH (m = 2, ef_construction = 4);
CREATE INDEX ON t USING ivf (v) WITH (lists = -1);
CREATE INDEX ON t USING ivfflat (v) WITH (lists = 0);
CREATE INDEX ON t USING ivfflat (v) WITH (lists = 32769);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 1);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 101);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 3);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (ef_construction = 1001);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (m = 16, ef_construction = 31);
CREATE INDEX ON t USING hnsw (v vector_l2_ops) WITH (lists = 1);
-- What is not indexed.
CREATE INDEX ON t USING hnsw (v);
CREATE INDEX ON t USING ivf (word);
CREATE INDEX ON t USING ivf (v, any_size);
CREATE UNIQUE INDEX ON t USING ivf (v);
CREATE INDEX ON t USING ivf (v) INCLUDE (id);
CREATE INDEX ON t USING ivf (v DESC);
CLUSTER t USING a;
-- Answers, with the index named in the plan.
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <-> '[1,0,1]' LIMIT 3;
DROP INDEX b;
SELECT id, v <-> '[1,0,1]' AS distance FROM t ORDER BY v <-> '[1,0,1]';
EXPLAIN (COSTS OFF) SELECT id FROM t ORDER BY v <=> '[1,0,1]' LIMIT 3;
SELECT id, round((v <=> '[1,0,1]')::numeric, 6) AS distance FROM t ORDER BY v <=> '[1,0,1]';
EXPLAIN (COSTS OFF) SELECT count(*) FROM t WHERE v IS NOT NULL;
SELECT id FROM t ORDER BY v <-> '[1,0]' LIMIT 1;
-- A column without dimensions is indexed without codes only; then it takes any, and a search says where they differ.
CREATE INDEX d ON t USING ivf (any_size);
CREATE INDEX d ON t USING ivf (any_size vector_l1_ops);
SELECT id FROM t ORDER BY any_size <+> '[1,1]' LIMIT 1;
UPDATE t SET any_size = '[1,2,3]' WHERE id = 3;
SELECT id FROM t ORDER BY any_size <+> '[1,1]' LIMIT 1;
-- What scans did.
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM t ORDER BY v <-> '[1,0,1]' LIMIT 3;
RESET enable_seqscan;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM t ORDER BY v <-> '[1,0,1]' LIMIT 3;
-- A look inside.
SELECT * FROM vw_index_check('a');
SELECT * FROM vw_index_check('c', heapallindexed => true);
SELECT * FROM vw_index_stats('a');
SELECT * FROM vw_index_stats('t_pkey');
SELECT * FROM vw_index_stats('t');
SELECT count(*) FROM vw_index_stats(NULL);
SELECT * FROM vw_index_recall('c');
SELECT recall, queries FROM vw_index_recall('c', sample => 2, k => 3);
SELECT * FROM vw_index_recall('c', sample => 0);
SELECT * FROM vw_index_recall('c', k => 1001);
SELECT * FROM vw_index_recall('t_pkey');
-- Settings.
SELECT name, setting, vartype, min_val, max_val, enumvals FROM pg_settings
	WHERE name LIKE 'ivf%' OR name LIKE 'hnsw%' ORDER BY name;
SET ivfflat.probes = 0;
SET ivfflat.probes = 32769;
SET hnsw.ef_search = 1001;
SET hnsw.iterative_scan = on;
SET hnsw.iterative_scan = strict_order;
SET ivfflat.iterative_scan = strict_order;
SET ivf.recall_target = 1.5;
SET ivf.unknown = 1;

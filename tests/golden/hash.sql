-- Hash joins, hash aggregation, hash indexes and hash partitions; zeros of either sign are one value.
CREATE DATABASE golden_hash;
\c golden_hash
CREATE EXTENSION vector;
SELECT vector_hash('[0,1]') = vector_hash('[-0,1]') AS vector, halfvec_hash('[0,1]') = halfvec_hash('[-0,1]') AS halfvec, sparsevec_hash('{1:0,2:1}/2') = sparsevec_hash('{2:1}/2') AS sparsevec;
SELECT vector_hash('[1]') <> vector_hash('[1,0]') AS vector, halfvec_hash('[1]') <> halfvec_hash('[1,0]') AS halfvec, sparsevec_hash('{1:1}/1') <> sparsevec_hash('{1:1}/2') AS sparsevec;
-- The lower half of the hash with seed 0 is the plain hash; another seed makes another hash.
SELECT vector_hash_extended('[1,2]', 0)::bit(64) << 32 = vector_hash('[1,2]')::bit(32)::bit(64) AS lower_half, vector_hash_extended('[1,2]', 1) <> vector_hash_extended('[1,2]', 0) AS seeded;
-- Rows of hash partitions stay where these once put them.
SELECT vector_hash('[1,2]'), halfvec_hash('[1,2]'), sparsevec_hash('{1:1,2:2}/2');
SELECT vector_hash_extended('[1,2]', 5), halfvec_hash_extended('[1,2]', 5), sparsevec_hash_extended('{1:1,2:2}/2', 5);
CREATE TABLE a AS SELECT id, ARRAY[id % 100, 0]::vector AS v, ARRAY[id % 100, 0]::halfvec AS h, ARRAY[id % 100, 0]::sparsevec AS s FROM generate_series(1, 1000) id;
CREATE TABLE b AS SELECT id, ARRAY[id, '-0']::real[]::vector AS v, ARRAY[id, '-0']::real[]::halfvec AS h, ARRAY[id, 0]::sparsevec AS s FROM generate_series(0, 49) id;
ANALYZE a;
ANALYZE b;
SET enable_mergejoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM a JOIN b USING (v);
SELECT (SELECT count(*) FROM a JOIN b USING (v)) AS v, (SELECT count(*) FROM a JOIN b USING (h)) AS h, (SELECT count(*) FROM a JOIN b USING (s)) AS s;
SET enable_mergejoin = on;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM a JOIN b USING (v);
SELECT (SELECT count(*) FROM a JOIN b USING (v)) AS v, (SELECT count(*) FROM a JOIN b USING (h)) AS h, (SELECT count(*) FROM a JOIN b USING (s)) AS s;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT v, count(*) FROM a GROUP BY v;
SELECT (SELECT count(*) FROM (SELECT DISTINCT v FROM a) d) AS v, (SELECT count(*) FROM (SELECT DISTINCT h FROM a) d) AS h, (SELECT count(*) FROM (SELECT DISTINCT s FROM a) d) AS s;
SELECT count(*) FROM (SELECT v FROM a UNION SELECT v FROM b) u;
RESET ALL;
CREATE INDEX ON a USING hash (v);
CREATE INDEX ON a USING hash (h);
CREATE INDEX ON a USING hash (s);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM a WHERE v = '[7,-0]';
SELECT (SELECT count(*) FROM a WHERE v = '[7,-0]') AS v, (SELECT count(*) FROM a WHERE h = '[7,-0]') AS h, (SELECT count(*) FROM a WHERE s = '{1:7}/2') AS s;
CREATE TABLE parts (v vector(2)) PARTITION BY HASH (v);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT DISTINCT v FROM a;
SELECT (SELECT count(*) FROM part_0) AS part_0, (SELECT count(*) FROM part_1) AS part_1;

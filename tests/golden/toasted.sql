-- Distances of values in TOAST tables: an argument that is asked for again and again, and changes in between.
CREATE DATABASE golden_toasted;
\c golden_toasted
CREATE EXTENSION vector;
CREATE FUNCTION numbers(seed integer, dim integer) RETURNS real[] LANGUAGE sql IMMUTABLE AS 'SELECT array_agg(((i * 7919 + seed * 104729) % 2003) / 1000.0 - 1) FROM generate_series(1, dim) i';
CREATE TABLE big AS SELECT id, numbers(id, 2000)::vector AS v, numbers(id, 2000)::halfvec AS h, numbers(id, 2000)::sparsevec AS s, binary_quantize(numbers(id, 2000)::vector)::bit(2000) AS b FROM generate_series(1, 20) id;
SELECT pg_relation_size(reltoastrelid) > 0 AS toasted FROM pg_class WHERE relname = 'big';
-- What a cast gives is flat: the same distances either way.
CREATE VIEW flat AS SELECT id, v::real[]::vector AS v, h::real[]::halfvec AS h, v::sparsevec AS s FROM big;
SELECT count(*), sum((big.v <-> (SELECT v FROM big WHERE id = 3)) - (flat.v <-> (SELECT v FROM flat WHERE id = 3))) AS vector, sum((big.h <=> (SELECT h FROM big WHERE id = 3)) - (flat.h <=> (SELECT h FROM flat WHERE id = 3))) AS halfvec, sum((big.s <+> (SELECT s FROM big WHERE id = 3)) - (flat.s <+> (SELECT s FROM flat WHERE id = 3))) AS sparsevec FROM big JOIN flat USING (id);
SELECT id FROM big ORDER BY v <-> (SELECT v FROM big WHERE id = 7) LIMIT 3;
-- Either argument repeated, and both: each pair of a join in both orders.
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT count(*), sum((l.v <#> r.v) - (r.v <#> l.v)) AS turned, count(*) FILTER (WHERE l.v <-> r.v = 0) AS same, count(*) FILTER (WHERE l.b <~> r.b = 0) AS same_bits FROM big l, big r;
-- A statement run again sees the new value, in one transaction and in another.
PREPARE nearest AS SELECT id, round((v <-> (SELECT v FROM big WHERE id = 1))::numeric, 3) AS distance FROM big ORDER BY 2, 1 LIMIT 2;
SET plan_cache_mode = force_generic_plan;
EXECUTE nearest;
BEGIN;
UPDATE big SET v = (SELECT v FROM big WHERE id = 2) WHERE id = 1;
EXECUTE nearest;
SAVEPOINT before;
UPDATE big SET v = (SELECT v FROM big WHERE id = 5) WHERE id = 1;
EXECUTE nearest;
ROLLBACK TO before;
EXECUTE nearest;
ROLLBACK;
EXECUTE nearest;
-- One expression of a function, over values that come and go while it runs.
CREATE FUNCTION walk() RETURNS SETOF double precision LANGUAGE plpgsql AS $$
DECLARE
	one vector;
	other vector;
BEGIN
	FOR i IN 1..3 LOOP
		SELECT v INTO one FROM big WHERE id = i;
		FOR k IN 1..2 LOOP
			SELECT v INTO other FROM big WHERE id = i + k;
			RETURN NEXT round((one <-> other)::numeric, 3);
			RETURN NEXT round((one <-> one)::numeric, 3);
		END LOOP;
		TRUNCATE big;
		INSERT INTO big SELECT id, numbers(id + i, 2000)::vector FROM generate_series(1, 20) id;
	END LOOP;
END $$;
BEGIN;
SELECT array_agg(walk) FROM walk();
ROLLBACK;
\c template1
DROP DATABASE golden_toasted;

-- avg and sum: in parallel, over groups, over toasted values, and as the functions behind aggregates of a user's own.
CREATE DATABASE golden_aggregates;
\c golden_aggregates
CREATE EXTENSION vector;
CREATE TABLE items AS SELECT id, ARRAY[id % 10, id % 7, -(id % 3)]::vector AS v, ARRAY[(id % 10 = 0)::int, (id % 7 = 0)::int, (id % 10 = 0)::int * -0.5]::halfvec AS h FROM generate_series(1, 10000) id;
ALTER TABLE items SET (parallel_workers = 2);
ANALYZE items;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT avg(v), sum(v), avg(h), sum(h) FROM items;
SELECT avg(v), sum(v), avg(h), sum(h) FROM items;
SET max_parallel_workers_per_gather = 0;
SELECT avg(v), sum(v), avg(h), sum(h) FROM items;
SELECT id % 3 AS part, avg(v), sum(v), avg(h) FROM items GROUP BY 1 ORDER BY 1;
SELECT id % 3 AS part, avg(v), sum(v) FROM items WHERE id < 9 GROUP BY ROLLUP (1) ORDER BY 1;
SELECT sum(v) FILTER (WHERE id = 3), avg(v) FILTER (WHERE id = 0), sum(DISTINCT h) FROM items WHERE id < 5;
-- A state is nobody else's: neither the rows nor a second aggregate see it change.
SELECT v FROM items WHERE id <= 2 ORDER BY id;
SELECT id, first_value(v) OVER w AS first, sum(v) OVER w AS sum, sum(v) OVER w + '[1,1,1]' AS more FROM items WHERE id <= 3 WINDOW w AS (ORDER BY id);
CREATE AGGREGATE total(vector) (SFUNC = vector_add, STYPE = vector, INITCOND = '[0,0,0]', PARALLEL = SAFE, COMBINEFUNC = vector_add);
SELECT total(v), sum(v) FROM items WHERE id <= 3;
SELECT total(v) FROM items WHERE id <= 3;
-- Long values are stored outside of their rows.
CREATE TABLE long AS SELECT array_fill(id, ARRAY[4000])::vector AS v, array_fill(id, ARRAY[4000])::halfvec AS h FROM generate_series(1, 9) id;
SELECT subvector(avg(v), 3999, 2), subvector(sum(v), 3999, 2), subvector(avg(h), 3999, 2), subvector(sum(h), 3999, 2) FROM long;

-- One cell of the table: values of one type and size, searched whole and measured call by call.
SET client_min_messages = warning;

CREATE FUNCTION cell_value(kind text, dims integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE kind
		WHEN 'bit' THEN (SELECT string_agg((random() < 0.5)::integer::text, '') FROM generate_series(1, dims))
		WHEN 'sparsevec' THEN '{' || (SELECT string_agg(i || ':' || (random() - 0.5)::real, ',' ORDER BY i)
			FROM generate_series(1, dims) i WHERE i = 1 OR random() < 0.1) || '}/' || dims
		ELSE '[' || (SELECT string_agg((random() - 0.5)::real::text, ',') FROM generate_series(1, dims)) || ']' END
$$;

CREATE FUNCTION cell_make(kind text, dims integer, count integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(0.5);
	DROP TABLE IF EXISTS cell, probe;
	EXECUTE format('CREATE UNLOGGED TABLE cell (id integer, v %s(%s))', kind, dims);
	EXECUTE format('CREATE UNLOGGED TABLE probe (id integer, v %s(%s))', kind, dims);
	EXECUTE format('INSERT INTO probe SELECT n, cell_value(%L, %s)::%1$s(%2$s) FROM generate_series(1, 11) n', kind, dims);
	EXECUTE format('INSERT INTO cell SELECT n, cell_value(%L, %s + 0 * n)::%1$s(%2$s) FROM generate_series(1, %s) n',
		kind, dims, count);
END $$;

-- Milliseconds of a statement that is prepared under the name `cell`: the least of some runs, the first one not counted.
CREATE FUNCTION cell_time(runs integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz;
	least_time double precision := 'infinity';
BEGIN
	EXECUTE 'EXECUTE cell';
	FOR i IN 1..runs LOOP
		begun := clock_timestamp();
		EXECUTE 'EXECUTE cell';
		least_time := least(least_time, 1000 * extract(epoch FROM clock_timestamp() - begun));
	END LOOP;
	DEALLOCATE cell;
	RETURN least_time;
END $$;

-- Milliseconds of a search through the whole table.
CREATE FUNCTION cell_search(operator text) RETURNS double precision LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('PREPARE cell AS SELECT count(*) FROM (SELECT id FROM cell ORDER BY v %s (SELECT v FROM probe WHERE id = 1) LIMIT 10) t',
		operator);
	RETURN cell_time(3);
END $$;

-- Nanoseconds of one call on flat values: ten calls a row, which the executor makes one after another, of one value and
-- ten others; an empty operator measures the loop around them. With a single pair of sparse vectors the CPU would know
-- by heart which of the two lists has the next index.
CREATE FUNCTION cell_call(operator text, count integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	declared text := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'probe'::regclass AND attname = 'v');
	one text := (SELECT v::text FROM probe WHERE id = 1);
	calls text := (SELECT string_agg(CASE operator WHEN '' THEN 'g' ELSE format('(a.v %s %L::%s)', operator, v, declared) END, ' + ')
		FROM probe WHERE id > 1);
BEGIN
	EXECUTE format('PREPARE cell AS SELECT count(%s) FROM (SELECT %L::%s AS v OFFSET 0) a,
		(SELECT n::double precision AS g FROM generate_series(1, %s) n OFFSET 0) l', calls, one, declared, count / 10);
	RETURN 1e6 * cell_time(8) / count;
END $$;

-- One cell of the table: values of one type and size, searched whole and measured call by call.
SET client_min_messages = warning;

CREATE FUNCTION cell_value(kind text, dims integer) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE kind
		WHEN 'bit' THEN (SELECT string_agg((random() < 0.5)::integer::text, '') FROM generate_series(1, dims))
		WHEN 'sparsevec' THEN '{' || (SELECT string_agg(i || ':' || (random() - 0.5)::real, ',' ORDER BY i)
			FROM generate_series(1, dims) i WHERE i = 1 OR random() < 0.1) || '}/' || dims
		ELSE '[' || (SELECT string_agg((random() - 0.5)::real::text, ',') FROM generate_series(1, dims)) || ']' END
$$;

-- Make the values of a cell: `count` rows, of which `drawn` are drawn and the others repeat them in turn, and the values
-- of the calls, one against `others`.
CREATE FUNCTION cell_make(kind text, dims integer, count integer, drawn integer, others integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setseed(0.5);
	DROP TABLE IF EXISTS source, cell, probe;
	EXECUTE format('CREATE UNLOGGED TABLE source (id integer, v %s(%s))', kind, dims);
	EXECUTE format('CREATE UNLOGGED TABLE probe (id integer, v %s(%s))', kind, dims);
	EXECUTE format('INSERT INTO probe SELECT n, cell_value(%L, %s + 0 * n)::%1$s(%2$s) FROM generate_series(0, %s) n',
		kind, dims, others);
	EXECUTE format('INSERT INTO source SELECT n, cell_value(%L, %s + 0 * n)::%1$s(%2$s) FROM generate_series(1, %s) n',
		kind, dims, drawn);
	INSERT INTO source SELECT source.id + turn * drawn, v FROM source, generate_series(1, (count - 1) / drawn) turn
		WHERE source.id + turn * drawn <= count;
END $$;

-- Put the rows of the cell into another place.
CREATE FUNCTION cell_move() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS cell;
	CREATE UNLOGGED TABLE cell AS SELECT * FROM source ORDER BY id;
	ANALYZE cell;
	PERFORM count(*) FROM cell;
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
	EXECUTE format('PREPARE cell AS SELECT count(*) FROM (SELECT id FROM cell ORDER BY v %s (SELECT v FROM probe WHERE id = 0) LIMIT 10) t',
		operator);
	RETURN cell_time(3);
END $$;

-- Nanoseconds of one call on flat values, of one value and the others in turn: arguments of a function that takes up to
-- a hundred and only counts them, so that no call waits for the one before. An empty operator measures what is around
-- them. With few pairs of sparse vectors the CPU would know by heart which of the two lists has the next index.
CREATE FUNCTION cell_call(operator text, count integer) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	declared text := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'probe'::regclass AND attname = 'v');
	one text := (SELECT v::text FROM probe WHERE id = 0);
	others integer := (SELECT max(id) FROM probe);
	calls text := (SELECT string_agg(format('num_nulls(%s)', part), ' + ') FROM (
		SELECT string_agg(CASE operator WHEN '' THEN 'g' ELSE format('a.v %s %L::%s', operator, v, declared) END, ', ') AS part
		FROM probe WHERE id > 0 GROUP BY id / 100) p);
	rows integer := greatest(count / others, 1);
BEGIN
	EXECUTE format('PREPARE cell AS SELECT count(%s) FROM (SELECT %L::%s AS v OFFSET 0) a,
		(SELECT n::double precision AS g FROM generate_series(1, %s) n OFFSET 0) l', calls, one, declared, rows);
	RETURN 1e6 * cell_time(5) / (rows * others);
END $$;

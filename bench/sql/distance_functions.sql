-- One cell of the table: values of one type and size, searched whole and measured call by call.
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
END $$;

-- Prepare the statements of an operator and give the number of calls that one run makes, about `count`:
-- `cell_search` searches through the whole table; `cell_call` makes calls on flat values, of one value and the others in
-- turn; `cell_around` is what is around them. The calls are arguments of a function that takes up to a hundred and only
-- counts them, so that no call waits for the one before. With few pairs of sparse vectors the CPU would know by heart
-- which of the two lists has the next index. A few more constants before them, of a number that differs from time to
-- time, put them into another place every time, as rows are.
CREATE FUNCTION cell_prepare(operator text, count integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	declared text := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
		WHERE attrelid = 'probe'::regclass AND attname = 'v');
	one text := (SELECT v::text FROM probe WHERE id = 0);
	others integer := (SELECT max(id) FROM probe);
	rows integer := greatest(count / others, 1);
	shift text := 'num_nulls(g' || repeat(', ''''::text', extract(microseconds FROM clock_timestamp())::integer % 8) || ') + ';
	prepared text;
	call text;
	around text;
BEGIN
	FOR prepared IN SELECT name FROM pg_prepared_statements WHERE name LIKE 'cell\_%' LOOP
		EXECUTE format('DEALLOCATE %I', prepared);
	END LOOP;
	EXECUTE format('PREPARE cell_search AS SELECT count(*) FROM (SELECT id FROM cell
		ORDER BY v %s (SELECT v FROM probe WHERE id = 0) LIMIT 10) t', operator);
	SELECT string_agg(format('num_nulls(%s)', calls), ' + '), string_agg(format('num_nulls(%s)', numbers), ' + ')
		INTO call, around FROM (
		SELECT string_agg(format('a.v %s %L::%s', operator, v, declared), ', ') AS calls, string_agg('g', ', ') AS numbers
		FROM probe WHERE id > 0 GROUP BY id / 100) p;
	EXECUTE format('PREPARE cell_call AS SELECT count(%s%s) FROM (SELECT %L::%s AS v OFFSET 0) a,
		(SELECT n::double precision AS g FROM generate_series(1, %s) n OFFSET 0) l', shift, call, one, declared, rows);
	EXECUTE format('PREPARE cell_around AS SELECT count(%s%s) FROM (SELECT %L::%s AS v OFFSET 0) a,
		(SELECT n::double precision AS g FROM generate_series(1, %s) n OFFSET 0) l', shift, around, one, declared, rows);
	RETURN rows * others;
END $$;

-- A table for vectors of $1 dimensions, whose index is built by $2 workers however few pages it has.
SELECT format('CREATE TABLE ann (id integer NOT NULL, embedding vector(%s) NOT NULL) WITH (parallel_workers = %s)',
	$1::integer, $2::integer);

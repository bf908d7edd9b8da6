-- $1 random unit vectors of $2 dimensions. The condition on n makes the inner query run for each row.
INSERT INTO exact SELECT n, l2_normalize(r.components::real[]::vector) FROM generate_series(1, $1::integer) n,
	LATERAL (SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) AS components
		FROM generate_series(1, $2::integer) WHERE n > 0) r;

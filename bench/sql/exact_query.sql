-- A random vector of $1 dimensions, as text.
SELECT array_agg(sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()))::real[]::vector::text FROM generate_series(1, $1::integer);

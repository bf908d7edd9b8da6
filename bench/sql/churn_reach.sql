-- The distance from $1 within which a share $2 of the rows is.
SELECT percentile_cont($2::float8) WITHIN GROUP (ORDER BY embedding <=> $1) FROM ann;

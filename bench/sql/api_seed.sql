-- $1 collection, $2 texts: embedded for real.
SELECT count(*) FROM vw_index_items($1, $2::text[]);

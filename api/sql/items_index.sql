-- $1 collection; arrays of equal lengths or NULL: $2 texts, $3 images, $4 audios, $5 metadata, $6 ids; $7 project;
-- $8 whether one item that fails keeps the others out; arrays again: $9 keys and $10 formats of stored files.
SELECT ordinal, id, status, tokens, truncated, model_id, error_code, error
FROM vw.index_items($1::text, $2::text[], $3::bytea[], $4::bytea[], $5::jsonb[], $6::text[], $7::text, $8::boolean,
	$9::text[], $10::text[])
ORDER BY ordinal

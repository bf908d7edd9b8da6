-- $1 collection; arrays of equal lengths or NULL: $2 texts, $3 images, $4 audios, $5 metadata, $6 ids; $7 project.
SELECT id, status, tokens, truncated, model_id
FROM vw_index_items($1::text, $2::text[], $3::bytea[], $4::bytea[], $5::jsonb[], $6::text[], $7::text)
ORDER BY ordinal

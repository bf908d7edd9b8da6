-- $1 collection; one of $2 text, $3 image, $4 audio; $5 project; $6 top_k, $7 threshold, $8 filter.
-- One row of NULLs beside the model and the tokens where nothing is found.
SELECT q.model_id, q.tokens, r.id, r.score, r.content_type, r.metadata, r.content, r.media_key
FROM vw.query($1::text, $2::text, $3::bytea, $4::bytea, $5::text) q
LEFT JOIN LATERAL vw.nearest(q.collection_id, q.embedding, $6::integer, $7::float8, $8::jsonb) WITH ORDINALITY
	AS r (id, score, content_type, metadata, content, media_key, place) ON true
ORDER BY r.place

-- $1 collection, $2 limit, $3 offset, $4 project, $5 and $6 created_at and id to begin after, or NULL: the total beside each item; one row of NULLs where the page is empty.
SELECT c.item_count AS total, i.id, i.content_type, i.content, i.metadata, i.created_at, i.updated_at, i.media_key
FROM vw_collection($1::text, $4::text) c
LEFT JOIN LATERAL vw_items($1::text, $2::integer, $3::bigint, $4::text, $5::timestamptz, $6::text) WITH ORDINALITY
	AS i (id, content_type, content, metadata, tokens, created_at, updated_at, media_type, media_size, media_key, place) ON true
ORDER BY i.place

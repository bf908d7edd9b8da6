-- $1 collection, $2 project.
SELECT collection_id, model_id, model_sha256, items, bytes, indexed, waiting, deleted, lists, longest_list, index_bytes,
	vacuumed_at, analyzed_at
FROM vw_collection_status($1::text, $2::text)

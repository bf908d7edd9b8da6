-- $1 collection, $2 project.
SELECT id, name, description, model_id, types, dimensions, metric, item_count, created_at, updated_at
FROM vw_collection($1::text, $2::text)

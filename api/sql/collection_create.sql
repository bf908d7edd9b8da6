-- $1 name, $2 description, $3 model, $4 project.
SELECT id, name, description, model_id, types, dimensions, metric, item_count, created_at, updated_at
FROM vw_create_collection($1::text, $2::text, $3::text, $4::text)

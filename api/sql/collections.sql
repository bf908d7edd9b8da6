-- $1 project.
SELECT id, name, description, model_id, types, dimensions, metric, item_count, created_at, updated_at
FROM vw_collections($1::text)

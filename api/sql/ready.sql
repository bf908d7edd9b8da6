-- The model that a collection gets which names none, or NULL.
SELECT (SELECT m.id FROM vw_models() m ORDER BY m.id <> 'multimodal-embedding-v1', m.id LIMIT 1) AS model

SELECT id FROM vw_create_collection($1);

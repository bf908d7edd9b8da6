SELECT id, score, content_type, metadata, content FROM vw_search($1, $2, top_k => 10);

SELECT vw_embed_texts($1);

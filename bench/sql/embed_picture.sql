SELECT vw_embed_image($1);

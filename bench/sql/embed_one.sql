SELECT vw_embed_text($1);

SELECT cell_make($1, $2, $3);

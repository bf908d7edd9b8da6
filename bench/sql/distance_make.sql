SELECT cell_make($1, $2, $3, $4, $5);

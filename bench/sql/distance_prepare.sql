SELECT cell_prepare($1, $2);

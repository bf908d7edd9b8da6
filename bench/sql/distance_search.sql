SELECT cell_search($1);

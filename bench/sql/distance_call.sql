SELECT cell_call($1, $2);

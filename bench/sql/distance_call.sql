SELECT cell_call($1, $2, $3);

EXECUTE cell_call;

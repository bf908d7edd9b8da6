EXECUTE cell_search;

EXECUTE cell_around;

SELECT cell_move();

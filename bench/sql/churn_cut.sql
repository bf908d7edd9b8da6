DELETE FROM ann WHERE id >= $1;

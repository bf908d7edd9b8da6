SELECT id FROM ann WHERE id % $2 = 0 ORDER BY embedding <=> $1 LIMIT 10;

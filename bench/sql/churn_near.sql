SELECT id FROM ann WHERE embedding <=> $2 <= $3 ORDER BY embedding <=> $1 LIMIT 10;

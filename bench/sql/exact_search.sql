SELECT id FROM exact ORDER BY embedding <=> $1::text::vector LIMIT 10;

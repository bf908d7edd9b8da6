SELECT id FROM ann ORDER BY embedding <#> $1 LIMIT 10;

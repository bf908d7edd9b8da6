SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'INSERT%' LIMIT 1

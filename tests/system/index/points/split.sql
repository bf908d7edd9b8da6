SELECT a.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'page' AND l.granted AND a.query LIKE 'INSERT%' LIMIT 1

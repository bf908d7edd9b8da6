SELECT pid FROM pg_stat_activity WHERE lower(wait_event) IN ('walwrite', 'walsync', 'walwritelock') AND query LIKE 'INSERT%' LIMIT 1

SELECT pid FROM pg_stat_activity WHERE wait_event IN ('WALWrite', 'WALSync', 'WalWriteLock', 'WALWriteLock') AND query LIKE 'INSERT%' LIMIT 1

SELECT pid FROM pg_stat_progress_vacuum WHERE phase IN ('vacuuming indexes', 'cleaning up indexes') LIMIT 1

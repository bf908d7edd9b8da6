SELECT pid FROM pg_stat_progress_vacuum WHERE phase = 'scanning heap' LIMIT 1

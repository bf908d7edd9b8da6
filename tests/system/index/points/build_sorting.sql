SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'building index: sorting codes by list' LIMIT 1

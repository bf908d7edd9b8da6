SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'building index: writing lists' LIMIT 1

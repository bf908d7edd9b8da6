SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'building index: sampling the table' LIMIT 1

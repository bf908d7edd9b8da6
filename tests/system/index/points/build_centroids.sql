SELECT pid FROM pg_stat_progress_create_index WHERE phase = 'building index: finding centroids' LIMIT 1

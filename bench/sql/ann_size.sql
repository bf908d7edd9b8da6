SELECT pg_relation_size('ann_index');

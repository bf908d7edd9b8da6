DROP INDEX ann_index;

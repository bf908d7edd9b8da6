-- $1 collection's id, $2 its items: from so many on it has an index, which this makes.
UPDATE vw.collection SET item_count = $2 WHERE id = $1;

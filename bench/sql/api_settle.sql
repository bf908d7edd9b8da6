-- $1 collection's id: counted, which makes its index.
UPDATE vw.collection SET item_count = (SELECT count(*) FROM vw.item i WHERE i.collection_id = $1) WHERE id = $1;

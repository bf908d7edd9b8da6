-- The id of the demo collection, which is what its addresses are made of.
SELECT c.id FROM vw_collections() c WHERE c.name = 'demo';

-- $1 collection, $2 ids, $3 project.
SELECT vw_delete_items($1::text, $2::text[], $3::text) AS deleted

-- $1 collection, $2 project.
SELECT vw_delete_collection($1::text, $2::text) AS id

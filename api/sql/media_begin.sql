-- $1 collection, $2 the kind of each input, $3 project: a key for each input that is no text, NULL for the others.
SELECT vw.begin_media($1::text, $2::text[], $3::text) AS keys

-- $1 the old key's id; $2 the new one's and $3 sha256 of the whole of it; $4 seconds for which the old one stays in force.
SELECT vw.rotate_key($1::text, $2::text, $3::bytea, make_interval(secs => $4::integer))

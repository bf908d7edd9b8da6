-- $1 the key's id: NULL where there is none.
SELECT vw.revoke_key($1::text) AS revoked

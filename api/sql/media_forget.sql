-- $1 keys.
SELECT vw.forget_media($1::text[])

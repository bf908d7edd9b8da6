SELECT key FROM vw.claim_media(500) AS c (key)

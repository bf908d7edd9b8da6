-- What the other items are made of.
CREATE TEMPORARY TABLE base AS
	SELECT row_number() OVER (ORDER BY i.id) AS n, i.content, i.embedding, i.tokens FROM vw.item i;

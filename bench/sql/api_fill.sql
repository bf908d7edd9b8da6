-- $1 collection's id, $2 items: sums of two embeddings each of those that are there, and so as near to one another as texts are.
WITH base AS MATERIALIZED (SELECT row_number() OVER (ORDER BY i.id) AS n, i.* FROM vw.item i WHERE i.collection_id = $1)
INSERT INTO vw.item (collection_id, id, content_type, content, metadata, embedding, tokens)
	SELECT $1, a.n || '-' || b.n, 'text', a.content || ' ' || b.content, '{}', l2_normalize(a.embedding + b.embedding), a.tokens + b.tokens
		FROM base a JOIN base b ON a.n < b.n LIMIT $2;

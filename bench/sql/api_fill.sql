-- $1 collection's id, $2 items: sums of two embeddings each of those that are there, and so as near to one another as texts are.
INSERT INTO vw.item (collection_id, id, content_type, content, metadata, embedding, tokens)
	SELECT $1, a.n || '-' || b.n, 'text', a.content || ' ' || b.content, '{}', l2_normalize(a.embedding + b.embedding), a.tokens + b.tokens
		FROM base a JOIN base b ON a.n < b.n LIMIT $2;

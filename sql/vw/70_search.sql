-- Search: embed the query once, order a collection's items by cosine distance.

-- Written where the operator's schema is known; the planner puts the operator in its place.
CREATE FUNCTION vw.cosine_distance(a vector, b vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
	SELECT a <=> b;
END;

CREATE FUNCTION vw.dimensions(embedding vector) RETURNS integer
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE BEGIN ATOMIC
	SELECT vector_dims(embedding);
END;

CREATE FUNCTION vw.query(collection text, text text, image bytea, audio bytea, project text,
	OUT collection_id text, OUT model_id text, OUT embedding vector, OUT tokens integer)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
	target vw.collection := vw.find_collection(query.collection, query.project);
	inputs integer := num_nonnulls(query.text, image, audio);
	kind text := CASE WHEN query.text IS NOT NULL THEN 'text' WHEN image IS NOT NULL THEN 'image' ELSE 'audio' END;
	types text[];
BEGIN
	IF inputs <> 1 THEN
		PERFORM vw.refuse('', format('a search needs exactly one of text, image and audio, not %s', inputs));
	END IF;
	types := (vw.describe(target)).types;
	IF kind <> ALL (types) THEN
		PERFORM vw.refuse_kind(kind, kind, target.model_id, types);
	ELSIF query.text = '' THEN
		PERFORM vw.refuse('text', 'the text to search for is empty');
	END IF;
	SELECT target.id, target.model_id, e.embedding, e.tokens INTO collection_id, model_id, embedding, tokens
		FROM vw.embed_query(query.text, image, audio, vw.pinned(target)) e;
END $$;

COMMENT ON FUNCTION vw.query IS
	'Resolve the collection of a search and embed what is searched for. The project''s rows stay in sight for vw.nearest.';

CREATE FUNCTION vw.nearest(collection_id text, embedding vector, top_k integer, threshold double precision, filter jsonb)
	RETURNS TABLE (id text, score double precision, content_type text, metadata jsonb, content text, media_key text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
	-- The threshold cuts the ordered rows, so it is applied to the few that are left. The distance is that of the
	-- partition's index, whose embeddings have a number of dimensions.
	RETURN QUERY EXECUTE format($statement$
		SELECT n.id, round(greatest(0, 1 - n.distance)::numeric, 6)::double precision, n.content_type, n.metadata, n.content,
				n.media_key FROM (
				SELECT i.id, i.content_type, i.metadata, i.content, i.media_key,
					vw.cosine_distance(i.embedding::%1$s, $1) AS distance
					FROM vw.%2$I i WHERE $4 IS NULL OR i.metadata OPERATOR(vw.@@) $4
					ORDER BY vw.cosine_distance(i.embedding::%1$s, $1) LIMIT $2
			) n
			WHERE $3 IS NULL OR 1 - n.distance >= $3
			ORDER BY n.distance, n.id
	$statement$, vw.embedding_type(vw.dimensions(embedding)), vw.partition_of(collection_id))
		USING embedding, top_k, threshold, vw.filter_path(filter);
EXCEPTION WHEN undefined_table THEN
	PERFORM vw.refuse_missing(collection_id);
END $$;

COMMENT ON FUNCTION vw.nearest IS
	'The items of a collection nearest to an embedding; score is max(0, cosine), the threshold is on the cosine itself.';

CREATE FUNCTION vw.check_search(top_k integer, threshold double precision, filter jsonb) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
BEGIN
	IF top_k IS NULL OR top_k NOT BETWEEN 1 AND 10000 THEN
		PERFORM vw.refuse('top_k', 'top_k must be between 1 and 10000');
	ELSIF threshold NOT BETWEEN -1 AND 1 THEN
		PERFORM vw.refuse('threshold', 'threshold must be between -1 and 1');
	END IF;
	PERFORM vw.filter_path(filter);
END $$;

COMMENT ON FUNCTION vw.check_search IS
	'Refuse a search that makes no sense, before anything is embedded.';

CREATE FUNCTION vw_search(collection text, text text DEFAULT NULL, image bytea DEFAULT NULL, audio bytea DEFAULT NULL,
	top_k integer DEFAULT 10, threshold double precision DEFAULT NULL, filter jsonb DEFAULT NULL, project text DEFAULT NULL)
	RETURNS TABLE (id text, score double precision, content_type text, metadata jsonb, content text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET vw.project = '' AS $$
#variable_conflict use_column
BEGIN
	PERFORM vw.check_search(top_k, threshold, filter);
	RETURN QUERY SELECT n.id, n.score, n.content_type, n.metadata, n.content
		FROM vw.query(collection, vw_search.text, image, audio, project) q,
			vw.nearest(q.collection_id, q.embedding, top_k, threshold, filter) n;
END $$;

COMMENT ON FUNCTION vw_search IS
	'Search a collection by meaning: with a text, an image or a sound; the best match first.';

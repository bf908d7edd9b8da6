-- Items: indexed in batches, listed, deleted.

CREATE FUNCTION vw.check_lengths(texts text[], images bytea[], audios bytea[], metadata jsonb[], ids text[])
	RETURNS integer
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
	count integer := coalesce(cardinality(texts), cardinality(images), cardinality(audios), 0);
	given record;
BEGIN
	IF count = 0 THEN
		PERFORM vw.refuse('items', 'there are no items', 'Give texts, images or audios.');
	ELSIF count > 10000 THEN
		PERFORM vw.refuse('items', format('%s items; at most 10000 are allowed in one call', count), '', '54000');
	END IF;
	FOR given IN
		SELECT * FROM (VALUES ('texts', cardinality(texts)), ('images', cardinality(images)), ('audios', cardinality(audios)),
			('metadata', cardinality(metadata)), ('ids', cardinality(ids))) a(name, length) WHERE a.length <> count
	LOOP
		PERFORM vw.refuse(given.name, format('%s has %s elements, where there are %s items', given.name, given.length, count),
			'All arrays have one element for each item, NULL where it has none.');
	END LOOP;
	RETURN count;
END $$;

COMMENT ON FUNCTION vw.check_lengths IS
	'Check that the arrays describe the same items, and count them.';

CREATE FUNCTION vw.check_items(texts text[], images bytea[], audios bytea[], metadata jsonb[], ids text[], model vw.model)
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
	place text;
	inputs integer;
	kind text;
BEGIN
	FOR n IN 1..vw.check_lengths(texts, images, audios, metadata, ids) LOOP
		place := format('items[%s]', n - 1);
		inputs := num_nonnulls(texts[n], images[n], audios[n]);
		kind := CASE WHEN texts[n] IS NOT NULL THEN 'text' WHEN images[n] IS NOT NULL THEN 'image' ELSE 'audio' END;
		IF inputs <> 1 THEN
			PERFORM vw.refuse(place, format('item %s has %s inputs; it needs exactly one of text, image and audio', n, inputs));
		ELSIF kind <> ALL (model.types) THEN
			PERFORM vw.refuse_kind(place || '.' || kind, kind, model.id, model.types);
		ELSIF texts[n] = '' THEN
			PERFORM vw.refuse(place || '.text', format('the text of item %s is empty', n));
		ELSIF jsonb_typeof(metadata[n]) <> 'object' THEN
			PERFORM vw.refuse(place || '.metadata', format('the metadata of item %s is not a JSON object', n));
		ELSIF length(ids[n]) NOT BETWEEN 1 AND 128 THEN
			PERFORM vw.refuse(place || '.id', format('the id of item %s must have 1 to 128 characters', n));
		END IF;
	END LOOP;
	IF (SELECT count(i) > count(DISTINCT i) FROM unnest(ids) i) THEN
		PERFORM vw.refuse('ids', 'an id is given twice');
	END IF;
END $$;

COMMENT ON FUNCTION vw.check_items IS
	'Refuse items that cannot be indexed, before any work is done.';

CREATE FUNCTION vw.refuse_kind(param text, kind text, model text, types text[]) RETURNS void
	LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
BEGIN
	PERFORM vw.refuse(param, format('model "%s" embeds %s, not %s', model, array_to_string(types, ' and '), kind),
		'vw_models() tells what each model embeds.', '0A000');
END $$;

COMMENT ON FUNCTION vw.refuse_kind IS
	'Say that a model has no tower for a kind of input.';

CREATE FUNCTION vw.insert_items(collection vw.collection, texts text[], images bytea[], audios bytea[], metadata jsonb[],
	ids text[], media_keys text[], media_types text[], embedded vw.embedded[])
	RETURNS TABLE (ordinal integer, id text, status text, content_type text, tokens integer, truncated boolean)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	RETURN QUERY EXECUTE format($statement$
		WITH given AS MATERIALIZED (
			SELECT e.ordinal, coalesce(($6)[e.ordinal], vw.new_id('item')) AS id,
				CASE WHEN ($2)[e.ordinal] IS NOT NULL THEN 'text'
					WHEN ($3)[e.ordinal] IS NOT NULL THEN 'image' ELSE 'audio' END AS content_type,
				($2)[e.ordinal] AS content, coalesce(($5)[e.ordinal], '{}') AS metadata, e.embedding, e.tokens, e.truncated,
				coalesce(($3)[e.ordinal], ($4)[e.ordinal]) AS media, ($7)[e.ordinal] AS media_key, ($8)[e.ordinal] AS media_type
				FROM unnest($9) e WHERE e.error_code IS NULL ORDER BY e.ordinal
		), stored AS (
			INSERT INTO vw.%I AS i (collection_id, id, content_type, content, metadata, embedding, tokens, media_size,
					media_sha256, media_type, media_key)
				SELECT $1, g.id, g.content_type, g.content, g.metadata, g.embedding, g.tokens, octet_length(g.media),
					sha256(g.media), g.media_type, g.media_key FROM given g ORDER BY g.ordinal
				ON CONFLICT ON CONSTRAINT %I DO UPDATE SET content_type = excluded.content_type, content = excluded.content,
					metadata = excluded.metadata, embedding = excluded.embedding, tokens = excluded.tokens,
					media_size = excluded.media_size, media_sha256 = excluded.media_sha256, media_type = excluded.media_type,
					media_key = excluded.media_key, updated_at = clock_timestamp()
				RETURNING i.id, i.xmax = 0 AS created
		)
		SELECT g.ordinal, g.id, CASE WHEN s.created THEN 'created' ELSE 'updated' END, g.content_type, g.tokens, g.truncated
			FROM given g JOIN stored s USING (id) ORDER BY g.ordinal
	$statement$, vw.partition_of(collection.id), vw.partition_of(collection.id) || '_pkey')
	USING collection.id, texts, images, audios, metadata, ids, media_keys, media_types, embedded;
END $$;

COMMENT ON FUNCTION vw.insert_items IS
	'Store the items that were embedded; one with the id of an item that is there replaces it.';

CREATE FUNCTION vw.index_items(collection text, texts text[], images bytea[], audios bytea[], metadata jsonb[], ids text[],
	project text, atomic boolean, media_keys text[] DEFAULT NULL, media_types text[] DEFAULT NULL)
	RETURNS TABLE (ordinal integer, id text, status text, content_type text, tokens integer, truncated boolean, model_id text,
		error_code text, error text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
#variable_conflict use_column
DECLARE
	target vw.collection := vw.find_collection(collection, project);
	model vw.model;
	embedded vw.embedded[];
	added bigint := 0;
	kept text[];
	dropped text[];
BEGIN
	SELECT m.* INTO model FROM vw.model m WHERE m.id = target.model_id AND m.sha256 = target.model_sha256;
	PERFORM vw.check_items(texts, images, audios, metadata, ids, model);
	embedded := ARRAY(SELECT e FROM vw.embed_inputs(texts, images, audios, vw.pinned(target), true) e);
	IF atomic IS NOT false THEN
		PERFORM vw.refuse_failed(embedded);
	END IF;
	-- The row is locked after the slow part only. It may be gone by now; requests that replace the same items take turns.
	PERFORM FROM vw.collection c WHERE c.id = target.id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM vw.refuse_missing(collection);
	END IF;
	model_id := model.id;
	FOR ordinal, id, status, content_type, tokens, truncated IN
		SELECT * FROM vw.insert_items(target, texts, images, audios, metadata, ids, media_keys, media_types, embedded)
	LOOP
		added := added + (status = 'created')::integer;
		RETURN NEXT;
	END LOOP;
	RETURN QUERY SELECT e.ordinal, ids[e.ordinal], 'failed', NULL, NULL::integer, NULL::boolean, model.id, e.error_code, e.error
		FROM unnest(embedded) e WHERE e.error_code IS NOT NULL ORDER BY e.ordinal;
	IF media_keys IS NOT NULL THEN
		SELECT array_agg(media_keys[e.ordinal]) FILTER (WHERE e.error_code IS NULL AND media_keys[e.ordinal] IS NOT NULL),
			array_agg(media_keys[e.ordinal]) FILTER (WHERE e.error_code IS NOT NULL) INTO kept, dropped FROM unnest(embedded) e;
		PERFORM vw.keep_media(kept, dropped);
	END IF;
	UPDATE vw.collection c SET item_count = c.item_count + added, updated_at = clock_timestamp() WHERE c.id = target.id;
END $$;

COMMENT ON FUNCTION vw.index_items IS
	'Embed items and store them, with the keys and formats under which their files are stored already.';

-- An error in one item leaves all of them out, as in any statement; whoever wants the others says so.
CREATE FUNCTION vw_index_items(collection text, texts text[] DEFAULT NULL, images bytea[] DEFAULT NULL,
	audios bytea[] DEFAULT NULL, metadata jsonb[] DEFAULT NULL, ids text[] DEFAULT NULL, project text DEFAULT NULL,
	atomic boolean DEFAULT true)
	RETURNS TABLE (ordinal integer, id text, status text, content_type text, tokens integer, truncated boolean, model_id text,
		error_code text, error text)
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
BEGIN
	RETURN QUERY SELECT i.* FROM vw.index_items(collection, texts, images, audios, metadata, ids, project, atomic) i
		ORDER BY i.ordinal;
END $$;

COMMENT ON FUNCTION vw_index_items IS
	'Embed items and store them in a collection: position by position one of text, image and audio, with metadata and id. '
	'Unless atomic, items that cannot be embedded come back with status failed and their error, and the others are stored.';

CREATE FUNCTION vw_items(collection text, "limit" integer DEFAULT 20, "offset" bigint DEFAULT 0, project text DEFAULT NULL,
	after_time timestamptz DEFAULT NULL, after_id text DEFAULT NULL)
	RETURNS TABLE (id text, content_type text, content text, metadata jsonb, tokens integer, created_at timestamptz,
		updated_at timestamptz, media_type text, media_size bigint, media_key text)
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog SET vw.project = '' AS $$
DECLARE
	target vw.collection := vw.find_collection(collection, project);
BEGIN
	IF "limit" IS NULL OR "limit" < 0 THEN
		PERFORM vw.refuse('limit', 'limit must not be negative');
	ELSIF "offset" IS NULL OR "offset" < 0 THEN
		PERFORM vw.refuse('offset', 'offset must not be negative');
	END IF;
	RETURN QUERY EXECUTE format($statement$
		SELECT i.id, i.content_type, i.content, i.metadata, i.tokens, i.created_at, i.updated_at, i.media_type, i.media_size,
			i.media_key FROM vw.%I i WHERE $3 IS NULL OR (i.created_at, i.id) > ($3, $4) ORDER BY i.created_at, i.id LIMIT $1 OFFSET $2
	$statement$, vw.partition_of(target.id)) USING "limit", "offset", after_time, coalesce(after_id, '');
EXCEPTION WHEN undefined_table THEN
	PERFORM vw.refuse_missing(collection);
END $$;

COMMENT ON FUNCTION vw_items IS
	'The items of a collection in the order in which they were first indexed; after_time and after_id begin after an item.';

CREATE FUNCTION vw_delete_items(collection text, ids text[], project text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET vw.project = '' AS $$
DECLARE
	target vw.collection := vw.find_collection(collection, project);
	deleted bigint;
BEGIN
	PERFORM FROM vw.collection c WHERE c.id = target.id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		PERFORM vw.refuse_missing(collection);
	END IF;
	EXECUTE format('DELETE FROM vw.%I i WHERE i.id = ANY ($1)', vw.partition_of(target.id)) USING ids;
	GET DIAGNOSTICS deleted = ROW_COUNT;
	UPDATE vw.collection c SET item_count = c.item_count - deleted, updated_at = clock_timestamp() WHERE c.id = target.id;
	RETURN deleted;
END $$;

COMMENT ON FUNCTION vw_delete_items IS
	'Delete items by id; ids that are not there are passed over. Gives how many were deleted.';

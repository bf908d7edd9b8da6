-- Embedding functions. STABLE: a model's files can be replaced, so a result may not be kept in an index expression; those
-- of 45_pinned.sql may. COST is what keeps the planner from repeating a call; it is not what an embedding takes, as a
-- call with constant arguments is computed once a statement however often it is evaluated.

CREATE FUNCTION vw_models()
	RETURNS TABLE (id text, name text, types text[], dimensions integer, metric text, max_tokens integer, sha256 text,
		pinned text)
	LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
	SELECT m.id, m.name, m.types, m.dimensions, m.metric, m.max_tokens, m.sha256, m.id || '@' || m.sha256
		FROM vw.engine_models() m ORDER BY m.id;
END;

COMMENT ON FUNCTION vw_models IS
	'The embedding models, the kinds of input that each takes, and the name under which no other pack will answer.';

CREATE FUNCTION vw_engine_stats()
	RETURNS TABLE (model text, modality text, loaded boolean, waiting bigint, inputs bigint, failed bigint, batches bigint,
		mean_batch double precision, tokens bigint, padding double precision, run_ms double precision, wait_ms double precision)
	LANGUAGE sql VOLATILE PARALLEL SAFE BEGIN ATOMIC
	SELECT s.model, s.modality, s.loaded, s.waiting, s.inputs, s.failed, s.batches,
		s.inputs::double precision / nullif(s.batches, 0), s.tokens,
		s.padding::double precision / nullif(s.tokens + s.padding, 0),
		s.run_micros / 1000.0 / nullif(s.batches, 0), s.wait_micros / 1000.0 / nullif(s.inputs, 0)
		FROM vw.engine_stats() s ORDER BY s.model, s.modality;
END;

COMMENT ON FUNCTION vw_engine_stats IS
	'What each tower did since the engine started: inputs waiting, embedded and failed; batches, and inputs in one; tokens, '
	'and the share of padding in what was run; milliseconds of a batch in the graph, and of an input before its batch.';

CREATE FUNCTION vw_embed(input text, model text DEFAULT NULL, OUT embedding vector, OUT tokens integer, OUT truncated boolean)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 BEGIN ATOMIC
	SELECT e.embedding, e.tokens, e.truncated
		FROM vw.engine_embed_all('text', ARRAY[convert_to(input, 'UTF8')], model, false) e WHERE input IS NOT NULL;
END;

COMMENT ON FUNCTION vw_embed(text, text) IS
	'Embed one text; tells the tokens used and whether the text was cut at the model''s maximum.';

CREATE FUNCTION vw_embed(input bytea, modality text, model text DEFAULT NULL,
	OUT embedding vector, OUT tokens integer, OUT truncated boolean)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 BEGIN ATOMIC
	SELECT e.embedding, e.tokens, e.truncated
		FROM vw.engine_embed_all(modality, ARRAY[input], model, false) e WHERE input IS NOT NULL;
END;

COMMENT ON FUNCTION vw_embed(bytea, text, text) IS
	'Embed the bytes of one file of a modality, image or audio; tells the tokens used and whether it was cut.';

-- One input, one unit vector. Within a statement the same input is embedded once, however many rows ask for it.
CREATE FUNCTION vw_embed_text(input text, model text DEFAULT NULL) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_text IS 'Embed one text as a unit vector of the model''s dimensions.';

CREATE FUNCTION vw_embed_image(input bytea, model text DEFAULT NULL) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_image IS 'Embed the bytes of one image file, where the model takes that kind of input.';

CREATE FUNCTION vw_embed_audio(input bytea, model text DEFAULT NULL) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_audio IS 'Embed the bytes of one audio file, where the model takes that kind of input.';

CREATE FUNCTION vw_embed_texts(inputs text[], model text DEFAULT NULL) RETURNS vector[]
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 BEGIN ATOMIC
	SELECT CASE WHEN inputs IS NOT NULL THEN ARRAY(SELECT e.embedding
		FROM vw.engine_embed_all('text',
			ARRAY(SELECT convert_to(t.input, 'UTF8') FROM unnest(inputs) WITH ORDINALITY t(input, n) ORDER BY t.n),
			model, true) e
		ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_texts IS 'Embed many texts in one batch; the result is in the order of the input.';

CREATE FUNCTION vw_embed_images(inputs bytea[], model text DEFAULT NULL) RETURNS vector[]
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 BEGIN ATOMIC
	SELECT CASE WHEN inputs IS NOT NULL THEN ARRAY(SELECT e.embedding
		FROM vw.engine_embed_all('image', inputs, model, true) e ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_images IS 'Embed many image files in one batch; the result is in the order of the input.';

CREATE FUNCTION vw_embed_audios(inputs bytea[], model text DEFAULT NULL) RETURNS vector[]
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 BEGIN ATOMIC
	SELECT CASE WHEN inputs IS NOT NULL THEN ARRAY(SELECT e.embedding
		FROM vw.engine_embed_all('audio', inputs, model, true) e ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_audios IS 'Embed many audio files in one batch; the result is in the order of the input.';

-- What collections embed with: inputs of several kinds at once, NULL where a position has another kind.
CREATE FUNCTION vw.embed_kind(kind text, inputs bytea[], model text, bulk boolean) RETURNS SETOF vw.embedded
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT (ARRAY(SELECT t.n FROM unnest(inputs) WITH ORDINALITY t(input, n)
			WHERE t.input IS NOT NULL ORDER BY t.n))[e.ordinal]::integer,
		e.embedding, e.tokens, e.truncated, e.error_code, e.error, e.hint
		FROM vw.engine_embed(kind,
			ARRAY(SELECT t.input FROM unnest(inputs) WITH ORDINALITY t(input, n) WHERE t.input IS NOT NULL ORDER BY t.n),
			model, bulk) e;
END;

COMMENT ON FUNCTION vw.embed_kind IS 'Embed the inputs of one kind that are not NULL, each for itself; ordinal is the place in the array.';

CREATE FUNCTION vw.embed_inputs(texts text[], images bytea[], audios bytea[], model text, bulk boolean)
	RETURNS SETOF vw.embedded
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT * FROM vw.embed_kind('text',
		ARRAY(SELECT convert_to(t.input, 'UTF8') FROM unnest(texts) WITH ORDINALITY t(input, n) ORDER BY t.n), model, bulk)
	UNION ALL SELECT * FROM vw.embed_kind('image', images, model, bulk)
	UNION ALL SELECT * FROM vw.embed_kind('audio', audios, model, bulk);
END;

COMMENT ON FUNCTION vw.embed_inputs IS 'Embed inputs of all kinds, each for itself; each position of the arrays has one that is not NULL.';

CREATE FUNCTION vw.refuse_failed(embedded vw.embedded[]) RETURNS void
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	failed record;
BEGIN
	SELECT e.* INTO failed FROM unnest(embedded) e WHERE e.error_code IS NOT NULL ORDER BY e.ordinal LIMIT 1;
	IF FOUND THEN
		PERFORM vw.refuse(format('items[%s]', failed.ordinal - 1), format('item %s: %s', failed.ordinal, failed.error),
			failed.hint, failed.error_code);
	END IF;
END $$;

COMMENT ON FUNCTION vw.refuse_failed IS 'Raise the error of the first item that could not be embedded, if there is one.';

CREATE FUNCTION vw.embed_query(text text, image bytea, audio bytea, model text) RETURNS vw.embedded
	LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
	made vw.embedded;
	kind text := CASE WHEN embed_query.text IS NOT NULL THEN 'text' WHEN image IS NOT NULL THEN 'image' ELSE 'audio' END;
BEGIN
	SELECT e.* INTO made FROM vw.embed_inputs(ARRAY[embed_query.text], ARRAY[image], ARRAY[audio], model, false) e;
	IF made.error_code IS NOT NULL THEN
		PERFORM vw.refuse(kind, made.error, made.hint, made.error_code);
	END IF;
	RETURN made;
END $$;

COMMENT ON FUNCTION vw.embed_query IS 'Embed what is searched for, ahead of bulk work: the one of three that is not NULL.';

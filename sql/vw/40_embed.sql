-- Embedding functions. STABLE: a model's files can be replaced, so a result may not be kept in an index expression.

CREATE FUNCTION vw_models()
	RETURNS TABLE (id text, name text, types text[], dimensions integer, metric text, max_tokens integer, sha256 text)
	LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
	SELECT m.id, m.name, m.types, m.dimensions, m.metric, m.max_tokens, m.sha256 FROM vw.engine_models() m ORDER BY m.id;
END;

COMMENT ON FUNCTION vw_models IS 'The embedding models, with the kinds of input that each one takes.';

CREATE FUNCTION vw_embed(input text, model text DEFAULT NULL, OUT embedding vector, OUT tokens integer, OUT truncated boolean)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 BEGIN ATOMIC
	SELECT e.embedding, e.tokens, e.truncated
		FROM vw.engine_embed('text', ARRAY[convert_to(input, 'UTF8')], model, false) e WHERE input IS NOT NULL;
END;

COMMENT ON FUNCTION vw_embed IS 'Embed one text; tells the tokens used and whether the text was cut at the model''s maximum.';

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
		FROM vw.engine_embed('text',
			ARRAY(SELECT convert_to(t.input, 'UTF8') FROM unnest(inputs) WITH ORDINALITY t(input, n) ORDER BY t.n),
			model, true) e
		ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_texts IS 'Embed many texts in one batch; the result is in the order of the input.';

CREATE FUNCTION vw_embed_images(inputs bytea[], model text DEFAULT NULL) RETURNS vector[]
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 BEGIN ATOMIC
	SELECT CASE WHEN inputs IS NOT NULL THEN ARRAY(SELECT e.embedding
		FROM vw.engine_embed('image', inputs, model, true) e ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_images IS 'Embed many image files in one batch; the result is in the order of the input.';

CREATE FUNCTION vw_embed_audios(inputs bytea[], model text DEFAULT NULL) RETURNS vector[]
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 BEGIN ATOMIC
	SELECT CASE WHEN inputs IS NOT NULL THEN ARRAY(SELECT e.embedding
		FROM vw.engine_embed('audio', inputs, model, true) e ORDER BY e.ordinal) END;
END;

COMMENT ON FUNCTION vw_embed_audios IS 'Embed many audio files in one batch; the result is in the order of the input.';

-- What collections embed with: inputs of several kinds at once, NULL where a position has another kind.
CREATE FUNCTION vw.embed_kind(kind text, inputs bytea[], model text, bulk boolean) RETURNS SETOF vw.embedded
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT (ARRAY(SELECT t.n FROM unnest(inputs) WITH ORDINALITY t(input, n)
			WHERE t.input IS NOT NULL ORDER BY t.n))[e.ordinal]::integer,
		e.embedding, e.tokens, e.truncated
		FROM vw.engine_embed(kind,
			ARRAY(SELECT t.input FROM unnest(inputs) WITH ORDINALITY t(input, n) WHERE t.input IS NOT NULL ORDER BY t.n),
			model, bulk) e;
END;

COMMENT ON FUNCTION vw.embed_kind IS 'Embed the inputs of one kind that are not NULL; ordinal is the place in the array.';

CREATE FUNCTION vw.embed_inputs(texts text[], images bytea[], audios bytea[], model text, bulk boolean)
	RETURNS SETOF vw.embedded
	LANGUAGE sql STABLE BEGIN ATOMIC
	SELECT * FROM vw.embed_kind('text',
		ARRAY(SELECT convert_to(t.input, 'UTF8') FROM unnest(texts) WITH ORDINALITY t(input, n) ORDER BY t.n), model, bulk)
	UNION ALL SELECT * FROM vw.embed_kind('image', images, model, bulk)
	UNION ALL SELECT * FROM vw.embed_kind('audio', audios, model, bulk);
END;

COMMENT ON FUNCTION vw.embed_inputs IS 'Embed inputs of all kinds; each position of the arrays has one that is not NULL.';

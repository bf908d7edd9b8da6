-- Embedding functions for generated columns and index expressions. They are IMMUTABLE, as the model is named with the hash
-- of its pack, id@sha256 (vw_models() gives it as pinned), and no other pack answers to that name: a pack that was put
-- in its place is an error, never another vector.

CREATE FUNCTION vw_embed_text_pinned(input text, model text) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_text_pinned IS
	'Embed one text with the very pack that is named id@sha256; may be used in generated columns and index expressions.';

CREATE FUNCTION vw_embed_image_pinned(input bytea, model text) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_image_pinned IS
	'Embed one image file with the very pack that is named id@sha256; may be used in generated columns.';

CREATE FUNCTION vw_embed_audio_pinned(input bytea, model text) RETURNS vector
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw_embed_audio_pinned IS
	'Embed one audio file with the very pack that is named id@sha256; may be used in generated columns.';

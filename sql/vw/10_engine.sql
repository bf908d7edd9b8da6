-- The engine's two calls. Everything else that embeds is written in SQL over them.
\echo Use "CREATE EXTENSION vw CASCADE" to load this file. \quit

CREATE SCHEMA vw;
GRANT USAGE ON SCHEMA vw TO PUBLIC;

CREATE FUNCTION vw.engine_embed(modality text, inputs bytea[], model text, bulk boolean)
	RETURNS TABLE (ordinal integer, embedding vector, tokens integer, truncated boolean)
	AS 'MODULE_PATHNAME', 'vw_engine_embed' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw.engine_embed IS
	'Embed inputs of one modality; bulk work gives way to single queries.';

CREATE FUNCTION vw.engine_models()
	RETURNS TABLE (id text, name text, types text[], dimensions integer, metric text, max_tokens integer, sha256 text)
	AS 'MODULE_PATHNAME', 'vw_engine_models' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 4;

COMMENT ON FUNCTION vw.engine_models IS
	'The models that the engine can run.';

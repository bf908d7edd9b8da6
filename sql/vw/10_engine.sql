-- The engine's calls. Everything else that embeds many inputs is written in SQL over them.
\echo Use "CREATE EXTENSION vw CASCADE" to load this file. \quit

CREATE SCHEMA vw;
GRANT USAGE ON SCHEMA vw TO PUBLIC;

CREATE FUNCTION vw.engine_embed(modality text, inputs bytea[], model text, bulk boolean)
	RETURNS TABLE (ordinal integer, embedding vector, tokens integer, truncated boolean, error_code text, error text, hint text)
	AS 'MODULE_PATHNAME', 'vw_engine_embed' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw.engine_embed IS
	'Embed inputs of one modality, input by input: an embedding, or an SQLSTATE, a message and a hint. Bulk work gives way.';

CREATE FUNCTION vw.engine_embed_all(modality text, inputs bytea[], model text, bulk boolean)
	RETURNS TABLE (ordinal integer, embedding vector, tokens integer, truncated boolean)
	AS 'MODULE_PATHNAME', 'vw_engine_embed_all' LANGUAGE C STABLE PARALLEL SAFE COST 1000;

COMMENT ON FUNCTION vw.engine_embed_all IS
	'Embed inputs of one modality, all of them: the first one that is refused is an error.';

CREATE FUNCTION vw.engine_models()
	RETURNS TABLE (id text, name text, types text[], dimensions integer, metric text, max_tokens integer, sha256 text)
	AS 'MODULE_PATHNAME', 'vw_engine_models' LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 4;

COMMENT ON FUNCTION vw.engine_models IS
	'The models that the engine can run.';

CREATE FUNCTION vw.engine_stats()
	RETURNS TABLE (model text, modality text, loaded boolean, waiting bigint, inputs bigint, failed bigint, batches bigint,
		tokens bigint, padding bigint, run_micros bigint, wait_micros bigint)
	AS 'MODULE_PATHNAME', 'vw_engine_stats' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000 ROWS 4;

COMMENT ON FUNCTION vw.engine_stats IS
	'What each tower of the engine did since the engine started.';

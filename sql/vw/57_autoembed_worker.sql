-- Columns that keep themselves embedded: the work. A background worker calls vw.autoembed_step again and again, each time in
-- a transaction of its own, so that a worker that is killed loses nothing but the batch that it was at.

CREATE FUNCTION vw.as_owner(relation regclass, statement text, keys jsonb, inputs bytea[], embeddings vector[])
	RETURNS TABLE (ordinal integer, input bytea)
	AS 'MODULE_PATHNAME', 'vw_as_owner' LANGUAGE C VOLATILE;

COMMENT ON FUNCTION vw.as_owner IS
	'Run a statement with the rights of a table''s owner, and with no way for the owner''s triggers to get ours.';

CREATE FUNCTION vw.autoembed_input(job vw.autoembed) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format(CASE WHEN a.atttypid = 'bytea'::regtype THEN 't.%I' ELSE 'convert_to(t.%I::text, ''UTF8'')' END, job.source)
		FROM pg_attribute a WHERE a.attrelid = job.relation AND a.attname = job.source;
END;

CREATE FUNCTION vw.autoembed_match(job vw.autoembed, key text, operator text) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format('(%s) %s (%s)', string_agg(format('t.%I', k.name), ', ' ORDER BY k.n), operator,
			string_agg(format('(%s ->> %s)::%s', key, k.n - 1, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.n))
		FROM unnest(job.key) WITH ORDINALITY k(name, n)
		LEFT JOIN pg_attribute a ON a.attrelid = job.relation AND a.attname = k.name;
END;

CREATE FUNCTION vw.autoembed_read(job vw.autoembed) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format('SELECT k.ordinal::integer, %s FROM jsonb_array_elements($1) WITH ORDINALITY k(key, ordinal)
			JOIN %s t ON %s AND (t.%I IS NULL) IS NOT NULL',
		vw.autoembed_input(job), job.relation, vw.autoembed_match(job, 'k.key', '='), job.target);
END;

COMMENT ON FUNCTION vw.autoembed_read IS
	'The statement that reads the inputs of the rows with the keys $1; it fails where the target is missing as well.';

-- A row that somebody else has locked is left for later: a worker must not be the reason of a deadlock.
CREATE FUNCTION vw.autoembed_write(job vw.autoembed) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format($statement$
		WITH given AS MATERIALIZED (
			SELECT k.ordinal, k.key, ($2)[k.ordinal::integer] AS input, ($3)[k.ordinal::integer] AS embedding
				FROM jsonb_array_elements($1) WITH ORDINALITY k(key, ordinal)
		), locked AS MATERIALIZED (
			SELECT k.ordinal FROM given k JOIN %1$s t ON %2$s
				WHERE %3$s IS NOT DISTINCT FROM k.input FOR NO KEY UPDATE OF t SKIP LOCKED
		)
		UPDATE %1$s t SET %4$I = k.embedding FROM given k JOIN locked USING (ordinal)
			WHERE %2$s AND %3$s IS NOT DISTINCT FROM k.input RETURNING k.ordinal::integer, NULL::bytea
	$statement$, job.relation, vw.autoembed_match(job, 'k.key', '='), vw.autoembed_input(job), job.target);
END;

COMMENT ON FUNCTION vw.autoembed_write IS
	'The statement that stores the embeddings $3 in the rows with the keys $1 whose inputs are still $2; gives which it did.';

CREATE FUNCTION vw.autoembed_list(job vw.autoembed) RETURNS text
	LANGUAGE sql STABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT format('SELECT row_number() OVER (ORDER BY %1$s)::integer, convert_to(jsonb_build_array(%1$s)::text, ''UTF8'')
			FROM (SELECT %1$s FROM %2$s t WHERE t.%3$I IS NOT NULL AND %4$s AND %5$s ORDER BY %1$s LIMIT 1000) t',
		(SELECT string_agg(format('t.%I', k.name), ', ' ORDER BY k.n) FROM unnest(job.key) WITH ORDINALITY k(name, n)),
		job.relation, job.source,
		CASE WHEN job.backfill = 'missing' THEN format('t.%I IS NULL', job.target) ELSE 'true' END,
		CASE WHEN job.backfilled IS NULL THEN 'true' ELSE vw.autoembed_match(job, '$1', '>') END);
END;

COMMENT ON FUNCTION vw.autoembed_list IS
	'The statement that lists the next thousand rows to be embedded that were there before, behind the key $1.';

CREATE FUNCTION vw.autoembed_vectors(outcomes vw.embedded[], count integer) RETURNS vector[]
	LANGUAGE sql IMMUTABLE BEGIN ATOMIC
	SELECT ARRAY(SELECT e.embedding FROM generate_series(1, count) n LEFT JOIN unnest(outcomes) e ON e.ordinal = n ORDER BY n);
END;

COMMENT ON FUNCTION vw.autoembed_vectors IS
	'The embeddings of so many inputs, NULL where there is none.';

CREATE FUNCTION vw.autoembed_hold(job vw.autoembed, code text, message text) RETURNS void
	LANGUAGE sql VOLATILE SET search_path = pg_catalog BEGIN ATOMIC
	UPDATE vw.autoembed a SET holds = least(a.holds, 100) + 1, error_code = code, error = message, worked_at = clock_timestamp(),
		hold_until = clock_timestamp() + least(60, 2 ^ greatest(0, least(a.holds, 6))) * interval '1 second' WHERE a.id = job.id;
END;

COMMENT ON FUNCTION vw.autoembed_hold IS
	'Pause after an error that is not a row''s: 1 second, then 2, 4, up to 60.';

CREATE FUNCTION vw.autoembed_fail(places tid[], failed_key jsonb, code text, message text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	last integer := current_setting('vw.autoembed_attempts');
	delay interval := current_setting('vw.autoembed_retry_delay');
BEGIN
	UPDATE vw.autoembed_queue q SET attempts = least(q.attempts, 1000) + 1, alone = true, error_code = code, error = message,
		due = clock_timestamp() + least(interval '1 hour', delay * 4 ^ greatest(0, least(q.attempts, 10))),
		failed_at = CASE WHEN q.attempts + 1 >= last THEN clock_timestamp() END
		WHERE q.ctid = ANY (places) AND q.key = failed_key;
END $$;

COMMENT ON FUNCTION vw.autoembed_fail IS
	'Try a row again after a pause four times as long as the last one, or give it up.';

CREATE FUNCTION vw.autoembed_engine_has(model text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	RETURN EXISTS (SELECT FROM vw.engine_models() m WHERE m.id || '@' || m.sha256 = model);
EXCEPTION WHEN OTHERS THEN
	RETURN false;
END $$;

COMMENT ON FUNCTION vw.autoembed_engine_has IS
	'Whether there is an engine that runs this very pack; where there is not, a failure says nothing about its input.';

CREATE FUNCTION vw.autoembed_is_engines(code text) RETURNS boolean
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog BEGIN ATOMIC
	SELECT code IN ('53400', '55000', '42704', '0A000');
END;

COMMENT ON FUNCTION vw.autoembed_is_engines IS
	'Whether an error tells of the engine and its models rather than of an input.';

CREATE FUNCTION vw.autoembed_failed_batch(job vw.autoembed, places tid[], keys jsonb, phase text, code text, message text) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
BEGIN
	IF code IN ('55P03', '40P01', '40001') THEN
		UPDATE vw.autoembed_queue q SET due = clock_timestamp() + interval '1 second' WHERE q.ctid = ANY (places);
	ELSIF phase = 'read' OR phase = 'embed'
		AND (vw.autoembed_is_engines(code) OR code = '58000' AND NOT vw.autoembed_engine_has(job.model))
	THEN
		PERFORM vw.autoembed_hold(job, code, message);
	ELSIF jsonb_array_length(keys) > 1 THEN
		-- One of them is to blame; each by itself from now on, so that it harms no other.
		UPDATE vw.autoembed_queue q SET alone = true WHERE q.ctid = ANY (places);
	ELSE
		PERFORM vw.autoembed_fail(places, keys -> 0, code, message);
	END IF;
END $$;

COMMENT ON FUNCTION vw.autoembed_failed_batch IS
	'Decide what becomes of a batch of which nothing was done: what cannot be read, or is the engine''s matter, is no row''s.';

CREATE FUNCTION vw.autoembed_batch(job vw.autoembed, places tid[], keys jsonb) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	present jsonb;
	inputs bytea[];
	outcomes vw.embedded[];
	written integer[];
	kept jsonb[];
	failed record;
	phase text := 'read';
	code text;
	message text;
BEGIN
	BEGIN
		SELECT jsonb_agg(keys -> (r.ordinal - 1) ORDER BY r.ordinal), array_agg(r.input ORDER BY r.ordinal) INTO present, inputs
			FROM vw.as_owner(job.relation, vw.autoembed_read(job), keys, NULL, NULL) r;
		phase := 'embed';
		outcomes := ARRAY(SELECT e FROM vw.embed_kind(job.modality, inputs, job.model, true) e);
		-- The engine may say of one input what is not that input's fault.
		SELECT e.error_code, e.error INTO failed FROM unnest(outcomes) e WHERE vw.autoembed_is_engines(e.error_code) LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION USING ERRCODE = failed.error_code, MESSAGE = failed.error;
		END IF;
		phase := 'write';
		-- No row has the key null.
		written := ARRAY(SELECT w.ordinal FROM vw.as_owner(job.relation, vw.autoembed_write(job),
			(SELECT jsonb_agg(CASE WHEN e.error_code IS NULL THEN p.key END ORDER BY p.n)
				FROM jsonb_array_elements(present) WITH ORDINALITY p(key, n) LEFT JOIN unnest(outcomes) e ON e.ordinal = p.n),
			inputs, vw.autoembed_vectors(outcomes, cardinality(inputs))) w);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
	END;
	IF code IS NOT NULL THEN
		PERFORM vw.autoembed_failed_batch(job, places, keys, phase, code, message);
		RETURN;
	END IF;
	FOR failed IN SELECT present -> (e.ordinal - 1) AS key, e.error_code, e.error FROM unnest(outcomes) e
		WHERE e.error_code IS NOT NULL
	LOOP
		kept := kept || failed.key;
		PERFORM vw.autoembed_fail(places, failed.key, failed.error_code, failed.error);
	END LOOP;
	-- Rows that are locked, or whose source has changed in the meantime.
	FOR failed IN SELECT p.key FROM jsonb_array_elements(present) WITH ORDINALITY p(key, n)
		WHERE p.n <> ALL (written) AND p.key <> ALL (coalesce(kept, '{}'))
	LOOP
		kept := kept || failed.key;
		UPDATE vw.autoembed_queue q SET due = clock_timestamp() + interval '1 second'
			WHERE q.ctid = ANY (places) AND q.key = failed.key;
	END LOOP;
	DELETE FROM vw.autoembed_queue q WHERE q.ctid = ANY (places) AND q.key <> ALL (coalesce(kept, '{}'));
	UPDATE vw.autoembed a SET done = a.done + cardinality(written), holds = 0, error_code = NULL, error = NULL,
		worked_at = clock_timestamp() WHERE a.id = job.id;
END $$;

COMMENT ON FUNCTION vw.autoembed_batch IS
	'Embed the rows with some keys, whose queue entries are at these places and locked.';

CREATE FUNCTION vw.autoembed_backfill(job vw.autoembed) RETURNS void
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	keys jsonb[];
	code text;
	message text;
BEGIN
	BEGIN
		SELECT array_agg(convert_from(r.input, 'UTF8')::jsonb ORDER BY r.ordinal) INTO keys
			FROM vw.as_owner(job.relation, vw.autoembed_list(job), job.backfilled, NULL, NULL) r;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
		PERFORM vw.autoembed_hold(job, code, message);
		RETURN;
	END;
	INSERT INTO vw.autoembed_queue (autoembed_id, key) SELECT job.id, k FROM unnest(keys) k;
	UPDATE vw.autoembed a SET worked_at = clock_timestamp(), backfilled = keys[cardinality(keys)],
		backfill = CASE WHEN cardinality(keys) = 1000 THEN a.backfill ELSE 'none' END WHERE a.id = job.id;
END $$;

COMMENT ON FUNCTION vw.autoembed_backfill IS
	'Queue the next thousand rows that were there before.';

CREATE FUNCTION vw.autoembed_work(job vw.autoembed) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
DECLARE
	now timestamptz := clock_timestamp();
	size integer := CASE job.modality WHEN 'text' THEN 64 ELSE 8 END;
	places tid[];
	keys jsonb;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = job.relation) THEN
		DELETE FROM vw.autoembed a WHERE a.id = job.id;
		RETURN true;
	END IF;
	WITH claimed AS MATERIALIZED (
		SELECT q.ctid AS place, q.key, q.alone FROM vw.autoembed_queue q
			WHERE q.autoembed_id = job.id AND q.failed_at IS NULL AND q.due <= now
			ORDER BY q.due LIMIT size FOR UPDATE SKIP LOCKED
	), numbered AS (
		SELECT c.*, row_number() OVER () AS n, first_value(c.alone) OVER () AS single FROM claimed c
	)
	SELECT array_agg(n.place), jsonb_agg(DISTINCT n.key) INTO places, keys FROM numbered n
		WHERE CASE WHEN n.single THEN n.n = 1 ELSE NOT n.alone END;
	IF places IS NOT NULL THEN
		PERFORM vw.autoembed_batch(job, places, keys);
	ELSIF job.backfill <> 'none' THEN
		PERFORM vw.autoembed_backfill(job);
	ELSE
		RETURN false;
	END IF;
	RETURN true;
END $$;

COMMENT ON FUNCTION vw.autoembed_work IS
	'Do some of the work on one column; false where there is none now.';

CREATE FUNCTION vw.autoembed_step() RETURNS double precision
	LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog SET row_security = off SET lock_timeout = '500ms'
	SET vw.engine_start_timeout = '5s' AS $$
DECLARE
	job vw.autoembed;
BEGIN
	FOR job IN SELECT a.* FROM vw.autoembed a WHERE a.hold_until <= clock_timestamp() ORDER BY a.worked_at LOOP
		-- Whatever is wrong with one column is not to stop the others.
		BEGIN
			IF vw.autoembed_work(job) THEN
				RETURN 0;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			PERFORM vw.autoembed_hold(job, SQLSTATE, SQLERRM);
		END;
	END LOOP;
	-- An aggregate without a group would give a row where nothing is left.
	RETURN (
		SELECT greatest(0.25, extract(epoch FROM greatest(a.hold_until, q.due) - clock_timestamp()))
			FROM vw.autoembed a, LATERAL (
				SELECT min(e.due) AS due FROM vw.autoembed_queue e WHERE e.autoembed_id = a.id AND e.failed_at IS NULL) q
			WHERE q.due IS NOT NULL OR a.backfill <> 'none' ORDER BY greatest(a.hold_until, q.due) LIMIT 1);
END $$;

COMMENT ON FUNCTION vw.autoembed_step IS
	'Do some of the work of the queue; gives in how many seconds there is more, NULL when nothing is left.';

REVOKE EXECUTE ON FUNCTION vw.as_owner, vw.autoembed_step, vw.autoembed_work, vw.autoembed_batch, vw.autoembed_backfill,
	vw.autoembed_failed_batch, vw.autoembed_fail, vw.autoembed_hold FROM PUBLIC;

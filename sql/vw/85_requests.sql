-- Requests of the REST service that carry an Idempotency-Key: what was answered to each, for a day.

CREATE TABLE vw.request (
	project_id text NOT NULL REFERENCES vw.project ON DELETE CASCADE,
	key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
	-- SHA-256 of what was asked.
	hash bytea NOT NULL CHECK (length(hash) = 32),
	-- A random number of whoever works on it, so that none but the holder finishes it.
	holder bytea NOT NULL,
	-- NULL while it is in progress.
	status integer,
	body text,
	-- When an answer is forgotten; of a request in progress, when its holder is taken for dead.
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (project_id, key)
);

CREATE INDEX ON vw.request (expires_at);

-- SECURITY DEFINER, as is the next: the service finds an answer by its key, and lists none.
CREATE FUNCTION vw.begin_request(project text, key text, hash bytea, holder bytea, OUT state text, OUT status integer, OUT body text)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
	lease constant interval := '10 minutes';
	known vw.request;
BEGIN
	-- Twice, for a row that is swept away between the two statements.
	FOR turn IN 1..2 LOOP
		INSERT INTO vw.request AS r (project_id, key, hash, holder, expires_at)
			VALUES (project, begin_request.key, begin_request.hash, begin_request.holder, clock_timestamp() + lease)
			ON CONFLICT ON CONSTRAINT request_pkey DO UPDATE SET hash = excluded.hash, holder = excluded.holder, status = NULL,
				body = NULL, expires_at = excluded.expires_at WHERE r.expires_at <= clock_timestamp();
		IF FOUND THEN
			state := 'begun';
			RETURN;
		END IF;
		SELECT r.* INTO known FROM vw.request r WHERE r.project_id = project AND r.key = begin_request.key;
		EXIT WHEN FOUND;
	END LOOP;
	status := known.status;
	body := known.body;
	state := CASE WHEN known.hash <> begin_request.hash THEN 'other' WHEN known.status IS NOT NULL THEN 'done' ELSE 'running' END;
END $$;

COMMENT ON FUNCTION vw.begin_request IS
	'Take an idempotency key: begun (do it), running (by another), done (with this answer), other (it was a different request).';

CREATE FUNCTION vw.finish_request(project text, key text, holder bytea, status integer, body text) RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	DELETE FROM vw.request r WHERE r.project_id = finish_request.project AND r.key = finish_request.key
		AND r.holder = finish_request.holder AND finish_request.status IS NULL;
	UPDATE vw.request r SET status = finish_request.status, body = finish_request.body,
		expires_at = clock_timestamp() + interval '24 hours'
		WHERE r.project_id = finish_request.project AND r.key = finish_request.key AND r.holder = finish_request.holder
			AND finish_request.status IS NOT NULL;
END;

COMMENT ON FUNCTION vw.finish_request IS
	'Keep the answer under an idempotency key for a day; without a status, give the key up.';

CREATE FUNCTION vw.sweep_requests() RETURNS bigint
	LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC
	WITH expired AS (
		SELECT r.project_id, r.key FROM vw.request r WHERE r.expires_at <= clock_timestamp()
			ORDER BY r.expires_at LIMIT 10000 FOR UPDATE SKIP LOCKED
	), swept AS (
		DELETE FROM vw.request r USING expired e WHERE r.project_id = e.project_id AND r.key = e.key RETURNING 1
	)
	SELECT count(*) FROM swept;
END;

COMMENT ON FUNCTION vw.sweep_requests IS
	'Forget answers that are older than a day, at most 10,000 of them; gives how many.';

REVOKE EXECUTE ON FUNCTION vw.begin_request, vw.finish_request, vw.sweep_requests FROM PUBLIC;

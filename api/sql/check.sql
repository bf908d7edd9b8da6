-- What the service needs to find: its role and whether that owns too much, the extension, the rights.
SELECT current_user::text AS role, r.rolsuper OR r.rolbypassrls AS mighty, current_setting('server_version') AS server,
	(SELECT e.extversion FROM pg_extension e WHERE e.extname = 'vw') AS version,
	coalesce((SELECT has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc p
		WHERE p.pronamespace = to_regnamespace('vw') AND p.proname = 'authenticate'), false) AS granted
FROM pg_roles r WHERE r.rolname = current_user

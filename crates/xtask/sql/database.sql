-- The database and the service's role, on any database of the cluster; made once.
SELECT 'CREATE DATABASE vw' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'vw') \gexec
SELECT 'CREATE ROLE vw_service LOGIN' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'vw_service') \gexec

-- The database of `make bench`.
CREATE DATABASE bench;
\connect bench
SET client_min_messages = warning;
CREATE EXTENSION vw CASCADE;

-- What a new database holds before it is used. Passwords are set by set-passwords.sh.
CREATE ROLE task_api LOGIN;
CREATE ROLE replicator LOGIN REPLICATION;
-- Positions, slots and statistics: for the exporter, and for a replica to see what became of its slot.
GRANT pg_monitor TO task_api, replicator;
CREATE DATABASE task_api OWNER task_api;
REVOKE ALL ON DATABASE task_api FROM PUBLIC;

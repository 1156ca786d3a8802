-- Functions behind questions.

CREATE FUNCTION steward.object_id(object text, org uuid DEFAULT steward.default_org()) RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_object_id' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.object_id(text, uuid) IS 'id of the principal, credential or system that a reference names; raises when it names none';

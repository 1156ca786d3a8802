-- Functions behind questions.

CREATE FUNCTION steward.object_id(object text, org uuid DEFAULT steward.default_org()) RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_object_id' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.object_id(text, uuid) IS 'id of the principal, credential or system that a reference names; raises when it names none';

CREATE FUNCTION steward.readable_org(org uuid) RETURNS uuid
    AS 'MODULE_PATHNAME', 'steward_readable_org' LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.readable_org(uuid) IS 'the organization itself, where the caller is an analyst in it; raises otherwise';

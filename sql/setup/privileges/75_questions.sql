-- Views and questions are the analyst's.

GRANT SELECT ON steward.orphaned_credentials, steward.expiring_credentials, steward.stale_credentials, steward.unused_scopes, steward.scope_drift,
    steward.shared_credentials, steward.privileged_access, steward.owner_tasks, steward.principals, steward.credential_uses,
    steward.credential_findings, steward.delegation_links, steward.access, steward.links, steward.changes
    TO steward_analyst;
REVOKE ALL ON FUNCTION steward.who_can(steward.scope_set, uuid), steward.blast_radius(text, uuid), steward.investigate(text, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.object_id(text, uuid), steward.readable_org(uuid), steward.who_can(steward.scope_set, uuid), steward.blast_radius(text, uuid),
    steward.investigate(text, timestamptz, uuid) TO steward_analyst;

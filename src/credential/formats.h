/*
 * formats.h
 *		Inventories of other systems: from what they export to rows that all have the same columns.
 *
 * Each format is a query over t(n, r), the elements of the list with their positions, that gives (n, implied,
 * external_id, kind, name, holder, owner, scopes, permissions, issued, expires, last_used, parent, environment, tags,
 * secret, problem).  implied rows are named by several elements, as an account by each of its keys.  Nothing here raises:
 * what cannot be is said in problem, of that row alone.
 */
#ifndef STEWARD_FORMATS_H
#define STEWARD_FORMATS_H

/* The elements of a json array as text[]; none when it is not one. */
#define JSON_TEXTS(x) \
	"ARRAY(SELECT e FROM jsonb_array_elements_text(CASE jsonb_typeof(" x ") WHEN 'array' THEN " x \
	" ELSE '[]' END) AS e)"
#define JSON_OBJECT(x) "CASE jsonb_typeof(" x ") WHEN 'object' THEN " x " ELSE '{}' END"

/* Our own field names; scopes and permissions as a string or an array. */
#define STEWARD_ROWS(r) \
	"t.n, false AS implied, " r "->>'external_id' AS external_id, coalesce(" r "->>'kind', 'api_key') AS kind, " r \
	"->>'name' AS name, " r "->>'holder' AS holder, " r "->>'owner' AS owner, " \
	"nullif(CASE jsonb_typeof(" r "->'scopes') WHEN 'array' THEN array_to_string(" JSON_TEXTS( \
		r \
		"->'scopes'") ", ' ') ELSE " r "->>'scopes' END, '') AS scopes, CASE jsonb_typeof(" r \
					  "->'permissions') WHEN 'array' THEN " JSON_TEXTS( \
						  r \
						  "->'permissions'") " ELSE regexp_split_to_array(nullif(btrim(" r \
											 "->>'permissions'), ''), '[,; ]+') END AS permissions, " r \
											 "->>'issued_at' AS issued, " r "->>'expires_at' AS expires, " r \
											 "->>'last_used_at' AS last_used, " r "->>'belongs_to' AS parent, " r \
											 "->>'environment' AS environment, " JSON_OBJECT( \
												 r \
												 "->'tags'") " AS tags, " r \
															 " ?| ARRAY['secret', 'password', 'private_key', 'token'] AS secret, NULL::text AS problem"

#define FORMAT_STEWARD "SELECT " STEWARD_ROWS("t.r") " FROM t"

/* Columns by the caller's recipe: {"columns": {field: column}, "defaults": {field: value}}. */
#define FORMAT_CSV \
	"SELECT " STEWARD_ROWS( \
		"m.r") " FROM t CROSS JOIN LATERAL (SELECT coalesce($5->'defaults', '{}') || coalesce((SELECT jsonb_object_agg(c.key, t.r->>c.value) " \
			   "FROM jsonb_each_text($5->'columns') c WHERE t.r->>c.value <> ''), '{}') AS r) m"

/* AWS IAM credential report: a row a user, with password, two keys and two certificates. */
#define AWS_COLUMN(c) "nullif(nullif(nullif(t.r->>'" c "', 'N/A'), 'no_information'), 'not_supported')"
#define FORMAT_AWS \
	"SELECT t.n, false, v.external_id, v.kind, v.name, NULL::text, NULL::text, NULL::text, NULL::text[], v.issued, NULL::text, " \
	"v.last_used, v.parent, NULL::text, jsonb_strip_nulls(jsonb_build_object('user', t.r->>'user', 'mfa_active', t.r->>'mfa_active')), " \
	"false, CASE WHEN coalesce(t.r->>'user', '') = '' THEN 'user is missing' " \
	"WHEN coalesce(t.r->>'arn', '') !~ '^arn:' THEN 'arn is missing' END FROM t CROSS JOIN LATERAL (VALUES " \
	"(t.r->>'arn', 'account', t.r->>'user', t.r->>'user_creation_time', NULL, NULL::text, true), " \
	"(t.r->>'arn' || '#password', 'password', t.r->>'user' || ' console password', " AWS_COLUMN("password_last_changed") ", " AWS_COLUMN( \
		"password_last_used") ", t.r->>'arn', t.r->>'password_enabled' = 'true'), " \
							  "(t.r->>'arn' || '#access_key_1', 'cloud_key', t.r->>'user' || ' access key 1', " AWS_COLUMN("access_key_1_last_rotated") ", " AWS_COLUMN( \
								  "access_key_1_last_used_date") ", t.r->>'arn', t.r->>'access_key_1_active' = 'true'), " \
																 "(t.r->>'arn' || '#access_key_2', 'cloud_key', t.r->>'user' || ' access key 2', " AWS_COLUMN("access_key_2_last_rotated") ", " AWS_COLUMN( \
																	 "access_key_2_last_used_date") ", t.r->>'arn', t.r->>'access_key_2_active' = 'true'), " \
																									"(t.r->>'arn' || '#cert_1', 'certificate', t.r->>'user' || ' certificate 1', " AWS_COLUMN( \
																										"cert_1_last_rotated") ", NULL, " \
																															   "t.r->>'arn', t.r->>'cert_1_active' = 'true'), " \
																															   "(t.r->>'arn' || '#cert_2', 'certificate', t.r->>'user' || ' certificate 2', " AWS_COLUMN( \
																																   "cert_2_last_rotated") ", NULL, " \
																																						  "t.r->>'arn', t.r->>'cert_2_active' = 'true')) AS v(external_id, kind, name, issued, last_used, parent, there) " \
																																						  "WHERE v.there OR (v.kind = 'account')"

/* GitHub: the fine-grained personal access tokens with access to an organization. */
#define FORMAT_GITHUB \
	"SELECT t.n, false, coalesce(t.r->>'token_id', t.r->>'id'), 'personal_access_token', t.r->>'token_name', " \
	"t.r#>>'{owner,login}', t.r#>>'{owner,login}', NULL::text, ARRAY(SELECT g.key || ':' || p.key || ':' || p.value FROM jsonb_each(" JSON_OBJECT( \
		"t.r->'permissions'") ") g CROSS JOIN LATERAL jsonb_each_text(" JSON_OBJECT("g.value") ") p ORDER BY 1), " \
																							   "t.r->>'access_granted_at', t.r->>'token_expires_at', t.r->>'token_last_used_at', NULL::text, NULL::text, " \
																							   "jsonb_strip_nulls(jsonb_build_object('repository_selection', t.r->>'repository_selection')), t.r ? 'token', NULL::text FROM t"

/* HashiCorp Vault: accessors, bare or as lookup-accessor answers them. */
#define FORMAT_VAULT \
	"SELECT t.n, false, CASE jsonb_typeof(t.r) WHEN 'string' THEN t.r#>>'{}' ELSE d.r->>'accessor' END, 'access_token', " \
	"d.r->>'display_name', NULL::text, coalesce(d.r#>>'{meta,username}', d.r#>>'{meta,email}'), NULL::text, " JSON_TEXTS( \
		"d.r->'policies'") ", " \
						   "d.r->>'creation_time', d.r->>'expire_time', NULL::text, NULL::text, NULL::text, " JSON_OBJECT( \
							   "d.r->'meta'") ", " \
											  "coalesce(d.r->>'id', '') <> '', NULL::text FROM t " \
											  "CROSS JOIN LATERAL (SELECT CASE jsonb_typeof(t.r->'data') WHEN 'object' THEN t.r->'data' ELSE t.r END AS r) d"

/* Google Cloud: the keys of service accounts; the account of each is implied. */
#define GCP_ACCOUNT "substring(t.r->>'name' FROM 'serviceAccounts/([^/]+)/keys/')"
#define FORMAT_GCP \
	"SELECT t.n, v.implied, v.external_id, v.kind, v.name, NULL::text, NULL::text, NULL::text, NULL::text[], v.issued, v.expires, " \
	"NULL::text, v.parent, NULL::text, v.tags, t.r ? 'privateKeyData', CASE WHEN " GCP_ACCOUNT \
	" IS NULL THEN 'name is not that of a key' END " \
	"FROM t CROSS JOIN LATERAL (VALUES (true, " GCP_ACCOUNT ", 'account', " GCP_ACCOUNT \
	", NULL, NULL, NULL::text, '{}'::jsonb), " \
	"(false, t.r->>'name', 'cloud_key', substring(t.r->>'name' FROM '/keys/(.+)$'), t.r->>'validAfterTime', " \
	"CASE WHEN t.r->>'validBeforeTime' NOT LIKE '9999-%' THEN t.r->>'validBeforeTime' END, " GCP_ACCOUNT ", " \
	"jsonb_strip_nulls(jsonb_build_object('keyType', t.r->>'keyType', 'keyOrigin', t.r->>'keyOrigin', 'disabled', t.r->'disabled')))) " \
	"AS v(implied, external_id, kind, name, issued, expires, parent, tags) " \
	"WHERE NOT v.implied OR " GCP_ACCOUNT " IS NOT NULL"

/* Kubernetes: service accounts, and the long-lived tokens that they list. */
#define K8S_ACCOUNT "'system:serviceaccount:' || (t.r#>>'{metadata,namespace}') || ':' || (t.r#>>'{metadata,name}')"
#define FORMAT_KUBERNETES \
	"SELECT t.n, false, v.external_id, v.kind, v.name, NULL::text, v.owner, NULL::text, NULL::text[], v.issued, NULL::text, NULL::text, " \
	"v.parent, t.r#>>'{metadata,namespace}', v.tags, t.r ? 'data', CASE WHEN t.r->>'kind' <> 'ServiceAccount' THEN 'it is not a ServiceAccount' " \
	"WHEN " K8S_ACCOUNT " IS NULL THEN 'metadata has no namespace or name' END FROM t CROSS JOIN LATERAL (" \
	"SELECT " K8S_ACCOUNT " AS external_id, 'account' AS kind, t.r#>>'{metadata,name}' AS name, " \
	"coalesce(t.r#>>'{metadata,annotations,owner}', t.r#>>'{metadata,labels,owner}') AS owner, t.r#>>'{metadata,creationTimestamp}' AS issued, " \
	"NULL::text AS parent, (" JSON_OBJECT("t.r#>'{metadata,labels}'") ") || (" JSON_OBJECT( \
		"t.r#>'{metadata,annotations}'") ") AS tags " \
										 "UNION ALL SELECT (t.r#>>'{metadata,namespace}') || '/' || (s->>'name'), 'access_token', s->>'name', NULL, NULL, " K8S_ACCOUNT \
										 ", '{}' " \
										 "FROM jsonb_array_elements(CASE jsonb_typeof(t.r->'secrets') WHEN 'array' THEN t.r->'secrets' ELSE '[]' END) s " \
										 "WHERE s->>'name' LIKE '%-token-%') v"

/* Okta: API tokens; the user is named by the directory's id. */
#define FORMAT_OKTA \
	"SELECT t.n, false, t.r->>'id', 'api_key', t.r->>'name', NULL::text, t.r->>'userId', NULL::text, NULL::text[], t.r->>'created', " \
	"t.r->>'expiresAt', t.r->>'lastUpdated', NULL::text, NULL::text, jsonb_strip_nulls(jsonb_build_object('clientName', t.r->>'clientName')), " \
	"t.r ? 'token', NULL::text FROM t"

#endif /* STEWARD_FORMATS_H */

/*
 * errors.h
 *		SQLSTATEs of steward's own.
 *
 * Where the standard or PostgreSQL has a fitting code, that one is used.  The class "ST" lies in the range that the
 * standard leaves to implementations.  doc/errors.md lists them for users; a code is never given another meaning.
 */
#ifndef STEWARD_ERRORS_H
#define STEWARD_ERRORS_H

#include "utils/errcodes.h"

/* The installation */
#define ERRCODE_STEWARD_NOT_SET_UP MAKE_SQLSTATE('S', 'T', '0', '0', '1')
#define ERRCODE_STEWARD_SCHEMA_OLDER MAKE_SQLSTATE('S', 'T', '0', '0', '2')
#define ERRCODE_STEWARD_SCHEMA_NEWER MAKE_SQLSTATE('S', 'T', '0', '0', '3')

/* References to people, agents, credentials, systems, directories, organizations */
#define ERRCODE_STEWARD_REFERENCE_EMPTY MAKE_SQLSTATE('S', 'T', '1', '0', '1')
#define ERRCODE_STEWARD_REFERENCE_PADDED MAKE_SQLSTATE('S', 'T', '1', '0', '2')
#define ERRCODE_STEWARD_REFERENCE_MALFORMED MAKE_SQLSTATE('S', 'T', '1', '0', '3')
#define ERRCODE_STEWARD_REFERENCE_IS_SECRET MAKE_SQLSTATE('S', 'T', '1', '0', '4')
#define ERRCODE_STEWARD_REFERENCE_AMBIGUOUS MAKE_SQLSTATE('S', 'T', '1', '0', '5')
#define ERRCODE_STEWARD_REFERENCE_UNKNOWN MAKE_SQLSTATE('S', 'T', '1', '0', '6')
#define ERRCODE_STEWARD_ORGANIZATION_UNKNOWN MAKE_SQLSTATE('S', 'T', '1', '0', '7')
#define ERRCODE_STEWARD_ORGANIZATION_AMBIGUOUS MAKE_SQLSTATE('S', 'T', '1', '0', '8')

/* Rules of governance */
#define ERRCODE_STEWARD_OWNER_NOT_HUMAN MAKE_SQLSTATE('S', 'T', '2', '0', '1')
#define ERRCODE_STEWARD_OWNER_NOT_LIVE MAKE_SQLSTATE('S', 'T', '2', '0', '2')
#define ERRCODE_STEWARD_HOLDER_NOT_LIVE MAKE_SQLSTATE('S', 'T', '2', '0', '3')
#define ERRCODE_STEWARD_OWNER_REQUIRED MAKE_SQLSTATE('S', 'T', '2', '0', '4')
#define ERRCODE_STEWARD_LIFETIME_INVALID MAKE_SQLSTATE('S', 'T', '2', '0', '5')
#define ERRCODE_STEWARD_LIFETIME_OVER_POLICY MAKE_SQLSTATE('S', 'T', '2', '0', '6')
#define ERRCODE_STEWARD_SCOPES_NOT_EFFECTIVE MAKE_SQLSTATE('S', 'T', '2', '0', '7')
#define ERRCODE_STEWARD_SCOPES_REQUIRED MAKE_SQLSTATE('S', 'T', '2', '0', '8')
#define ERRCODE_STEWARD_JUSTIFICATION_REQUIRED MAKE_SQLSTATE('S', 'T', '2', '0', '9')
#define ERRCODE_STEWARD_ALREADY_EXISTS MAKE_SQLSTATE('S', 'T', '2', '1', '0')
#define ERRCODE_STEWARD_CONFLICTING_FACTS MAKE_SQLSTATE('S', 'T', '2', '1', '1')
#define ERRCODE_STEWARD_REASON_INVALID MAKE_SQLSTATE('S', 'T', '2', '1', '2')
#define ERRCODE_STEWARD_VALUE_INVALID MAKE_SQLSTATE('S', 'T', '2', '1', '3')
#define ERRCODE_STEWARD_IMMUTABLE MAKE_SQLSTATE('S', 'T', '2', '1', '4')
#define ERRCODE_STEWARD_TRUNCATE_REFUSED MAKE_SQLSTATE('S', 'T', '2', '1', '5')
#define ERRCODE_STEWARD_AUDIT_PROTECTED MAKE_SQLSTATE('S', 'T', '2', '1', '6')
#define ERRCODE_STEWARD_KIND_NOT_ALLOWED MAKE_SQLSTATE('S', 'T', '2', '1', '7')

/* Directory input */
#define ERRCODE_STEWARD_IMPORT_MALFORMED MAKE_SQLSTATE('S', 'T', '3', '0', '1')
#define ERRCODE_STEWARD_IMPORT_EMPTY MAKE_SQLSTATE('S', 'T', '3', '0', '2')
#define ERRCODE_STEWARD_DIRECTORY_UNLINKED MAKE_SQLSTATE('S', 'T', '3', '0', '3')
#define ERRCODE_STEWARD_BRAKE MAKE_SQLSTATE('S', 'T', '3', '0', '4')
#define ERRCODE_STEWARD_EVENT_MALFORMED MAKE_SQLSTATE('S', 'T', '3', '0', '6')
#define ERRCODE_STEWARD_SYNC_STATE MAKE_SQLSTATE('S', 'T', '3', '0', '7')
#define ERRCODE_STEWARD_POLICY_UNKNOWN MAKE_SQLSTATE('S', 'T', '3', '0', '8')

/* Scopes */
#define ERRCODE_STEWARD_SCOPE_MALFORMED MAKE_SQLSTATE('S', 'T', '4', '0', '1')
#define ERRCODE_STEWARD_SCOPE_WILDCARD MAKE_SQLSTATE('S', 'T', '4', '0', '2')
#define ERRCODE_STEWARD_SCOPE_TOO_LONG MAKE_SQLSTATE('S', 'T', '4', '0', '3')
#define ERRCODE_STEWARD_SCOPE_SET_TOO_LARGE MAKE_SQLSTATE('S', 'T', '4', '0', '4')

#endif /* STEWARD_ERRORS_H */

/*
 * reference.h
 *		Arguments of SQL functions, and what text references to people, agents, credentials and systems mean.
 */
#ifndef STEWARD_REFERENCE_H
#define STEWARD_REFERENCE_H

#include "fmgr.h"
#include "nodes/pg_list.h"
#include "utils/uuid.h"

/* What a reference may name. */
typedef enum StewardReferenceKind
{
	STEWARD_REF_PRINCIPAL,
	STEWARD_REF_CREDENTIAL,
	STEWARD_REF_SYSTEM,
	STEWARD_REF_DIRECTORY,
	STEWARD_REF_WORKFLOW
} StewardReferenceKind;

extern char *steward_text_arg(FunctionCallInfo fcinfo, int arg, const char *name, bool required);
extern char *steward_note_arg(FunctionCallInfo fcinfo, int arg, const char *name);
extern char *steward_name_arg(FunctionCallInfo fcinfo, int arg, const char *name, int max, bool required);
extern void steward_check_choice(const char *value, const char *name, const char *const *choices, int sqlstate);
extern const pg_uuid_t *steward_org_arg(FunctionCallInfo fcinfo, int arg);
extern void steward_check_reference(const char *reference, const char *name);
extern bool steward_looks_secret(const char *text);
extern char *steward_reference_arg(FunctionCallInfo fcinfo, int arg, const char *name, bool required);
extern pg_uuid_t *steward_resolve(StewardReferenceKind kind, const pg_uuid_t *org, const char *reference,
								  const char *name);

#endif /* STEWARD_REFERENCE_H */

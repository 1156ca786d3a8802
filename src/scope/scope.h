/*
 * scope.h
 *		The types scope and scope_set, as the server's values.
 *
 * A scope is a varlena with the bytes of its text, like a text's.  A scope_set is a varlena with a packed set
 * (scope/set.h).  Both are read where they lie, with a short header or a long one.
 */
#ifndef STEWARD_SCOPE_H
#define STEWARD_SCOPE_H

#include "fmgr.h"

#include "scope/parse.h"
#include "scope/set.h"

struct Node;

typedef struct varlena Scope;
typedef struct varlena ScopeSet;

#define DatumGetScopeP(d) ((Scope *) PG_DETOAST_DATUM_PACKED(d))
#define DatumGetScopeSetP(d) ((ScopeSet *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_SCOPE_P(n) DatumGetScopeP(PG_GETARG_DATUM(n))
#define PG_GETARG_SCOPE_SET_P(n) DatumGetScopeSetP(PG_GETARG_DATUM(n))

/* The text of a scope, as the two arguments that the pure functions take. */
#define SCOPE_TEXT(scope) VARDATA_ANY(scope), VARSIZE_ANY_EXHDR(scope)

/* The packed form of a set. */
#define SCOPE_SET_BYTES(set) ((const uint8_t *) VARDATA_ANY(set))

extern Scope *steward_scope_make(const char *text, size_t len);
extern ScopeSet *steward_scope_set_make(StewardScopeText *scopes, size_t count);
extern bool steward_scope_set_covers(const ScopeSet *set, const ScopeSet *required);
extern int steward_scope_set_cardinality(const ScopeSet *set);
extern ScopeSet *steward_scope_set_uncovered(const ScopeSet *a, const ScopeSet *b);

#endif /* STEWARD_SCOPE_H */

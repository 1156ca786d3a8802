#ifndef STEWARD_SCOPE_H
#define STEWARD_SCOPE_H
typedef struct varlena ScopeSet;
#define DatumGetScopeSetP(d) ((ScopeSet *) PG_DETOAST_DATUM(d))
extern bool steward_scope_set_covers(const ScopeSet *set, const ScopeSet *required);
extern int steward_scope_set_cardinality(const ScopeSet *set);
extern ScopeSet *steward_scope_set_uncovered(const ScopeSet *a, const ScopeSet *b);
extern ScopeSet *steward_scope_set_parse(const char *text, size_t len);
extern ScopeSet *steward_scope_set_overlap(const ScopeSet *a, const ScopeSet *b);
#endif

/*
 * rules.h
 *		What has to hold of principals and credentials.
 */
#ifndef STEWARD_RULES_H
#define STEWARD_RULES_H

extern void steward_check_within_owner(Datum orgs, Datum credentials);

#endif /* STEWARD_RULES_H */

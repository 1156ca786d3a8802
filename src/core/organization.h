/*
 * organization.h
 *		The organization that a call means when it names none.
 */
#ifndef STEWARD_ORGANIZATION_H
#define STEWARD_ORGANIZATION_H

extern void steward_organization_init(void);

#endif /* STEWARD_ORGANIZATION_H */

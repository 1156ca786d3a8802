/*
 * steward.h
 *		What every part of steward may rely on.
 *
 * Like the other headers here it does not include postgres.h: each C file does so first.
 */
#ifndef STEWARD_H
#define STEWARD_H

#include "compat.h"
#include "errors.h"

/* The schema everything lives in; the extension is not relocatable. */
#define STEWARD_SCHEMA "steward"

/* The role that owns tables, views and triggers; made by steward.setup(). */
#define STEWARD_OWNER "steward_owner"

/* The role that grants and takes membership in the profiles' group roles, and does nothing else. */
#define STEWARD_ROLE_ADMIN "steward_role_admin"

/* The role that keeps registered PostgreSQL roles from logging in; the only one of ours with CREATEROLE. */
#define STEWARD_LOGIN_ADMIN "steward_login_admin"

#endif /* STEWARD_H */

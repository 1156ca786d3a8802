/*
 * settle.h
 *		Which changes of directory rows have had their effects, and what the triggers on them share.
 */
#ifndef STEWARD_SETTLE_H
#define STEWARD_SETTLE_H

#include "commands/trigger.h"

/* The attributes whose change is a lifecycle event, of a row r. */
#define TRACKED(r) \
	"jsonb_build_object('user_name', " r ".user_name, 'email', " r ".email, 'display_name', " r \
	".display_name, 'title', " r ".title, 'department', " r ".department, 'cost_center', " r \
	".cost_center, 'user_type', " r ".user_type, 'manager_user_id', " r ".manager_user_id, 'active', " r \
	".active, 'start_date', " r ".start_date, 'end_date', " r ".end_date, 'employee_number', " r \
	".employee_number, 'attributes', " r ".attributes)"

/* Name of the group of a membership row r; the group itself may be gone already. */
#define GROUP_NAME(r) \
	"coalesce((SELECT g.display_name FROM steward.directory_group g WHERE g.org_id = " r ".org_id AND g.id = " r \
	".group_id), " r ".group_id::text)"

/* The people of changed memberships: a query with org_id, user_id and the names of groups that are gone and new. */
#define MEMBERSHIP(changes) \
	"WITH change AS (SELECT c.org_id, c.user_id, " \
	"jsonb_build_object('groups', coalesce(jsonb_agg(c.gone ORDER BY c.gone) FILTER (WHERE c.gone IS NOT NULL), '[]')) AS before, " \
	"jsonb_build_object('groups', coalesce(jsonb_agg(c.new ORDER BY c.new) FILTER (WHERE c.new IS NOT NULL), '[]')) AS after " \
	"FROM (" changes ") c GROUP BY c.org_id, c.user_id) " AFFECTED_AT( \
		"u", "c.before", "c.after", \
		"NULL::timestamptz") "FROM change c JOIN steward.directory_user u ON u.org_id = c.org_id AND u.id = c.user_id"

/* The people of directories n whose state changed. */
#define SWITCHED(directories, before, after) \
	AFFECTED_AT("u", "jsonb_build_object('directory', " before ")", "jsonb_build_object('directory', " after ")", \
				"NULL::timestamptz") \
	"FROM " directories " JOIN steward.directory_user u ON u.org_id = n.org_id AND u.directory_id = n.id " \
	"WHERE " before " <> " after

extern void steward_settled(const TriggerData *trigger);

#endif /* STEWARD_SETTLE_H */

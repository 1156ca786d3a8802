/*
 * secret.h
 *		Functions whose arguments may hold a secret or a digest keep their statement out of the server's log.
 */
#ifndef STEWARD_SECRET_H
#define STEWARD_SECRET_H

/* In module.c */
extern void steward_hide_statement(void *arg);

/*
 * Between the two, whatever is reported, a cancelled statement included, is logged without the text of the statement,
 * which may hold the argument as a literal.  An error ends it by itself; do not return out of it.
 */
#define STEWARD_HIDE_STATEMENT() \
	do \
	{ \
		ErrorContextCallback hide_; \
		hide_.callback = steward_hide_statement; \
		hide_.arg = NULL; \
		hide_.previous = error_context_stack; \
	error_context_stack = &hide_
#define STEWARD_HIDE_STATEMENT_END() \
	error_context_stack = hide_.previous; \
	} \
	while (0)

#endif /* STEWARD_SECRET_H */

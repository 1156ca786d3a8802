/*
 * capture.h
 *		The audit trigger's numbering, for those who ask what a transaction has recorded.
 */
#ifndef STEWARD_CAPTURE_H
#define STEWARD_CAPTURE_H

extern int32 steward_next_event(void);

#endif /* STEWARD_CAPTURE_H */

/*
 * preview.h
 *		Doing the real thing in a subtransaction and taking it back: previews and dry runs.
 */
#ifndef STEWARD_PREVIEW_H
#define STEWARD_PREVIEW_H

typedef void (*StewardWork)(void *arg);

extern void steward_try_out(StewardWork work, void *arg);
extern bool steward_is_previewing(void);

#endif /* STEWARD_PREVIEW_H */

/* An instance of the plug-in. */
#ifndef VR180_INSTANCE_H
#define VR180_INSTANCE_H

#include "platform.h"
#include "server.h"
#include "suites.h"
#include "values.h"

/* Calls that were aborted while an analysis was running. */
#define LEFT 4

typedef struct {
    Session *session;
    char asker[20];
} Left;

typedef struct {
    OfxEffect effect;
    OfxProps own;
    OfxClip source, output;
    OfxClip mask; /* 0 in hosts and contexts without a second input */
    Handles handles;
    OfxParam revision;
    Mutex lock;
    Left left[LEFT];
    /* when a question without patience is asked again */
    double glance_after;
    int has_message;
    /* what was last said in a dialog */
    char told[128];
} Instance;

Instance *instance_of(const void *handle);
OfxStatus instance_create(OfxEffect effect);
OfxStatus instance_destroy(OfxEffect effect);

/* A message that stays until there is another or none. */
void say(Instance *instance, const char *type, const char *text);
void say_nothing(Instance *instance);

/* Tells hosts with caches that what they hold of this instance is not right any more. Not while it renders. */
void raise_revision(Instance *instance);

/* The call was aborted. A host that comes back to the same soon finds the analysis further on: it is given up when something else is wanted, and at once
 * where it had not begun. */
void leave_call(Instance *instance, const Call *call);
/* ``now`` is wanted, or 0 for nothing: what was left of other sessions is given up. */
void give_up_others(Instance *instance, const Session *now);

#endif

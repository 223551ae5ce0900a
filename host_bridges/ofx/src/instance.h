/* An instance of the plug-in, and the pictures that it holds. */
#ifndef VR180_INSTANCE_H
#define VR180_INSTANCE_H

#include "platform.h"
#include "server.h"
#include "suites.h"
#include "values.h"

/* Pictures that are kept: hosts ask for a frame in tiles, for both eyes, and for neighbours. */
#define SLOTS 4

/* One fetched picture. busy: one thread fetches it or looks at it. */
typedef struct {
    int used, busy;
    long age;
    int n, draft;
    char view[8], layer[128];
    Wanted *wanted;
    Plane plane;
} Slot;

struct Instance {
    OfxEffect effect;
    OfxClip source, output;
    Handles handles;
    Session session;
    Mutex lock;
    Slot slots[SLOTS];
    long age;
    int has_message;
};
typedef struct Instance Instance;

Instance *instance_of(const void *handle);
OfxStatus instance_create(OfxEffect effect);
OfxStatus instance_destroy(OfxEffect effect);
OfxStatus instance_purge(Instance *instance);

/* A message that stays until there is another or none. */
void say(Instance *instance, const char *type, const char *text);
void say_nothing(Instance *instance);

/* A slot for this picture, held by the caller alone. Waits for whoever fetches the same one; 0 when it was stopped. */
Slot *take_slot(Instance *instance, const Values *v, int n, const char *view, int draft, Stop stop);
void leave_slot(Instance *instance, Slot *slot, int usable);

#endif

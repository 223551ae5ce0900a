/* What all instances share: open clips, and pictures that were fetched. Hosts make an instance for each frame (MLT), each eye (Resolve) or each view. */
#ifndef VR180_SHARED_H
#define VR180_SHARED_H

#include "server.h"

/* One fetched picture. busy: one thread fetches it or looks at it. */
typedef struct {
    int used, busy;
    long age;
    int n, draft;
    char view[8], layer[128], edges[EDGES_ROOM];
    Wanted *wanted;
    Plane plane;
} Slot;

/* There is one instance more, or one less. With the last one everything goes. */
void shared_enter(void);
void shared_leave(void);

/* The session of what is wanted; to be released. 0 when there is no memory. */
Session *session_take(const Wanted *wanted);
void session_release(Session *session);

/* One picture: edges is what is done to edges in it, as JSON. */
typedef struct {
    const Wanted *wanted;
    const char *layer, *edges, *view;
    int n, draft;
} Named;

/* A slot for this picture, held by the caller alone. Waits for whoever fetches the same one; 0 when it was stopped. */
Slot *take_slot(const Named *named, Stop stop);
void leave_slot(Slot *slot, int usable);
/* Forgets the pictures that nobody looks at. */
void purge_slots(void);

#endif

/* What the node's parameters say. */
#ifndef VR180_VALUES_H
#define VR180_VALUES_H

#include "ofx.h"
#include "server.h"

/* More than the node has parameters. */
#define MOST_PARAMETERS 64

typedef OfxParam Handles[MOST_PARAMETERS];

/* What the parameters say at one time. */
typedef struct {
    Wanted wanted;
    int first_frame, find_frame, invert, quality, view;
    double mix;
    char layer[128], folder[ROOM], frames[1024], output[2048], edges[EDGES_ROOM];
    /* what the second input does: 0 takes the inside out, 1 keeps it */
    int mask_keeps;
} Values;

void find_handles(OfxParamSet set, Handles handles);
/* The handle of a parameter, or 0. */
OfxParam handle_of(OfxParam const *handles, const char *name);
void set_text(OfxParam const *handles, const char *name, const char *text);
/* 0 when they are too long. */
int read_values(OfxParam const *handles, double time, Values *v);
/* What is done to edges over time, as JSON: of each frame of the clip, whose first one the host shows at ``first``. 0 when there is no memory. */
int edges_over_time(OfxParam const *handles, double first, int frames, Buffer *out);
/* Whether the host has keys for any of it. */
int edges_are_keyed(OfxParam const *handles);

#endif

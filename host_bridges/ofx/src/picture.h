/* Putting a plane of halves into a host's picture. */
#ifndef VR180_PICTURE_H
#define VR180_PICTURE_H

#include "ofx.h"
#include "server.h"

typedef enum { DEPTH_8, DEPTH_16, DEPTH_16F, DEPTH_32F } Depth;

/* A picture of the host: rows from the bottom, RGBA, RGB or alpha alone. */
typedef struct {
    char *data;
    OfxRectI bounds;
    long row_bytes;
    Depth depth;
    int channels; /* 4, 3 or 1 */
} Picture;

/* What is to be made. frame: where the matte lies, in pixels of the host. plane: 0 where there is none, and then nobody is there. */
typedef struct {
    const Plane *plane;
    Picture source, target; /* source.data is 0 when there is no input; of one depth; the target has alpha */
    Picture mask;           /* the second input, with alpha; data is 0 when there is none */
    int mask_keeps;         /* inside of it: 0 takes the matte away, 1 makes it whole */
    OfxRectI window;
    OfxRectD frame;
    int invert;
    float mix;
} Job;

/* Once, before anything else here. */
void picture_begin(void);

/* Copies what goes through: colour, and alpha where it is mixed in. */
void picture_copy(const Job *job);

/* Puts the matte in, for a share of the window's rows. */
void picture_matte(const Job *job, unsigned int part, unsigned int parts);

/* Fills the window with what nobody takes for a picture or a matte: there are hosts that show it though the render has failed. */
void picture_spoil(const Job *job);

#endif

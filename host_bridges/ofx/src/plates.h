/* The host's pictures: what is in them, and where the matte lies. */
#ifndef VR180_PLATES_H
#define VR180_PLATES_H

#include "instance.h"
#include "picture.h"

OfxStatus read_picture(OfxProps image, Picture *out);

/* Which eye: what the parameter says, or what the host renders, or both. */
void choose_view(Instance *instance, OfxProps in, const Values *v, char *out, size_t size);

/* Where the input's frame lies, in pixels at the render scale. */
OfxRectD frame_of(Instance *instance, double time, double sx, double sy, const Picture *target);

/* Whether there is an input. */
int has_input(Instance *instance);

#endif

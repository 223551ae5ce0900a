/* The actions that make pictures, and that say how large they are. */
#ifndef VR180_RENDER_H
#define VR180_RENDER_H

#include "instance.h"

OfxStatus render(Instance *instance, OfxProps in);
OfxStatus identity(Instance *instance, OfxProps in, OfxProps out);
/* Without an input, what is shown is as large as the clip. */
OfxStatus without_input(Instance *instance, const char *action, OfxProps in, OfxProps out);

#endif

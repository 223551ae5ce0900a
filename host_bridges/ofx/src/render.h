/* The actions that make pictures, and that say what they are like. */
#ifndef VR180_RENDER_H
#define VR180_RENDER_H

#include "instance.h"

OfxStatus render(Instance *instance, OfxProps in);
OfxStatus identity(Instance *instance, OfxProps in, OfxProps out);
OfxStatus preferences(Instance *instance, OfxProps out);
/* Without an input, what is shown is as large and as long as the clip. Hosts ask for it while they build their interface: it never waits long. */
OfxStatus without_input(Instance *instance, const char *action, OfxProps in, OfxProps out);

#endif

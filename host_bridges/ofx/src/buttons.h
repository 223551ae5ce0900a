/* The buttons of the node. */
#ifndef VR180_BUTTONS_H
#define VR180_BUTTONS_H

#include "instance.h"

/* A parameter was changed, or a button pressed. */
OfxStatus changed(Instance *instance, OfxProps in);

#endif

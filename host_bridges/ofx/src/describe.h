/* What the plug-in says of itself. */
#ifndef VR180_DESCRIBE_H
#define VR180_DESCRIBE_H

#include "ofx.h"
#include "server.h"

/* The bundle's folder of resources, in which the installation has noted how to start a server. */
extern char resources[ROOM];

OfxStatus describe(OfxEffect effect);
OfxStatus describe_in_context(OfxEffect effect, OfxProps in);

#endif

/* VR180Matte: a thin client of the frame server. The host's structures on one side, HTTP on the other, and no pictures of its own.
 * Here is the door; each action has its room. */
#include <string.h>

#include "buttons.h"
#include "describe.h"
#include "instance.h"
#include "render.h"
#include "shared.h"
#include "suites.h"

#ifndef PLUGIN_MAJOR
#define PLUGIN_MAJOR 1
#define PLUGIN_MINOR 0
#endif

static OfxHost *host;

static OfxStatus entry(const char *action, const void *handle, OfxProps in, OfxProps out) {
    if (!strcmp(action, ACTION_LOAD)) return suites_load(host);
    if (!strcmp(action, ACTION_UNLOAD)) return suites_unload(), OFX_OK;
    if (!props) return OFX_ERR_MISSING_HOST_FEATURE;
    if (!strcmp(action, ACTION_DESCRIBE)) return describe((OfxEffect)handle);
    if (!strcmp(action, ACTION_DESCRIBE_IN_CONTEXT)) return describe_in_context((OfxEffect)handle, in);
    if (!strcmp(action, ACTION_CREATE)) return instance_create((OfxEffect)handle);
    if (!strcmp(action, ACTION_DESTROY)) return instance_destroy((OfxEffect)handle);
    Instance *instance = instance_of(handle);
    if (!instance) return OFX_REPLY_DEFAULT;
    if (!strcmp(action, ACTION_RENDER)) return render(instance, in);
    if (!strcmp(action, ACTION_IDENTITY)) return identity(instance, in, out);
    if (!strcmp(action, ACTION_CHANGED)) return changed(instance, in);
    if (!strcmp(action, ACTION_PURGE)) return purge_slots(), OFX_OK;
    if (!strcmp(action, ACTION_ROD) || !strcmp(action, ACTION_TIME_DOMAIN)) return without_input(instance, action, in, out);
    if (!strcmp(action, ACTION_PREFERENCES)) return preferences(instance, out);
    return OFX_REPLY_DEFAULT;
}

static void set_host(OfxHost *given) { host = given; }

OFX_EXPORT int OfxGetNumberOfPlugins(void);
OFX_EXPORT OfxPlugin *OfxGetPlugin(int n);

int OfxGetNumberOfPlugins(void) { return 1; }

OfxPlugin *OfxGetPlugin(int n) {
    static OfxPlugin plugin = {API_IMAGE_EFFECT, 1, "vr180ofx.VR180Matte", PLUGIN_MAJOR, PLUGIN_MINOR, set_host, entry};
    return n ? NULL : &plugin;
}

#include "suites.h"

#include <math.h>
#include <string.h>

#include "picture.h"
#include "platform.h"

const OfxPropertySuite *props;
const OfxImageEffectSuite *effects;
const OfxParameterSuite *params;
static const OfxMessageSuiteV2 *messages;
static const OfxMessageSuiteV1 *old_messages;
static const OfxProgressSuite *progress;
static const OfxMultiThreadSuite *threads;
static const OfxViewSuite *views;
static OfxProps host_props;

OfxStatus suites_load(OfxHost *host) {
    static Mutex lock = MUTEX_INIT;
    static int picture_ready;
    if (!host || !host->fetchSuite) return OFX_ERR_MISSING_HOST_FEATURE;
    const OfxPropertySuite *p = host->fetchSuite(host->host, SUITE_PROPERTY, 1);
    const OfxImageEffectSuite *e = host->fetchSuite(host->host, SUITE_EFFECT, 1);
    const OfxParameterSuite *a = host->fetchSuite(host->host, SUITE_PARAMETER, 1);
    if (!p || !e || !a) return OFX_ERR_MISSING_HOST_FEATURE;
    if (!p->setPointer || !p->setString || !p->setDouble || !p->setInt || !p->setDoubleN || !p->getPointer || !p->getString || !p->getDouble ||
        !p->getInt || !e->getPropertySet || !e->getParamSet || !e->clipDefine || !e->clipGetHandle || !e->clipGetPropertySet || !e->clipGetImage ||
        !e->clipReleaseImage || !e->clipGetRegionOfDefinition || !e->abort || !a->define || !a->getHandle || !a->getValueAtTime || !a->setValue)
        return OFX_ERR_MISSING_HOST_FEATURE;
    /* hosts load a plug-in again while its instances render: nothing changes then */
    mutex_lock(&lock);
    props = p;
    effects = e;
    params = a;
    messages = host->fetchSuite(host->host, SUITE_MESSAGE, 2);
    old_messages = host->fetchSuite(host->host, SUITE_MESSAGE, 1);
    progress = host->fetchSuite(host->host, SUITE_PROGRESS, 1);
    threads = host->fetchSuite(host->host, SUITE_THREAD, 1);
    views = host->fetchSuite(host->host, SUITE_VIEW, 2);
    host_props = host->host;
    if (!picture_ready) picture_begin();
    picture_ready = 1;
    platform_begin();
    mutex_unlock(&lock);
    return OFX_OK;
}

void suites_unload(void) {
    platform_end();
    props = NULL;
}

const char *host_name(void) { return host_props ? get_string(host_props, P_NAME, "") : ""; }

int get_int(OfxProps set, const char *name, int index, int other) {
    int value = other;
    return set && props->getInt(set, name, index, &value) == OFX_OK ? value : other;
}

double get_double(OfxProps set, const char *name, int index, double other) {
    double value = other;
    return set && props->getDouble(set, name, index, &value) == OFX_OK ? value : other;
}

const char *get_string(OfxProps set, const char *name, const char *other) {
    char *value = NULL;
    return set && props->getString(set, name, 0, &value) == OFX_OK && value ? value : other;
}

int get_number(OfxProps set, const char *name, int *out) {
    double value;
    if (!set) return 0;
    if (props->getInt(set, name, 0, out) == OFX_OK) return 1;
    if (props->getDouble(set, name, 0, &value) != OFX_OK || !(fabs(value) < 1e9)) return 0;
    return *out = (int)floor(value + 0.5), 1;
}

int say_persistently(OfxEffect effect, const char *type, const char *text) {
    if (!messages || !messages->setPersistent) return 0;
    messages->setPersistent(effect, type, "", "%s", text);
    return 1;
}

void say_nothing_persistently(OfxEffect effect) {
    if (messages && messages->clearPersistent) messages->clearPersistent(effect);
}

void say_once(OfxEffect effect, const char *type, const char *text) {
    if (messages && messages->message) messages->message(effect, type, "", "%s", text);
    else if (old_messages && old_messages->message) old_messages->message(effect, type, "", "%s", text);
}

void progress_start(OfxEffect effect, const char *label) {
    if (progress && progress->start) progress->start(effect, label);
}

int progress_update(OfxEffect effect, double share) { return !progress || !progress->update || progress->update(effect, share) != OFX_REPLY_NO; }

void progress_end(OfxEffect effect) {
    if (progress && progress->end) progress->end(effect);
}

int view_count(OfxEffect effect) {
    int count = 0;
    return views && views->getViewCount && views->getViewCount(effect, &count) == OFX_OK ? count : 0;
}

const char *view_name(OfxEffect effect, int view) {
    char *name = NULL;
    return views && views->getViewName && views->getViewName(effect, view, &name) == OFX_OK && name ? name : "";
}

int on_threads(OfxThreadFunction *function, void *argument) {
    unsigned int cpus = 1;
    if (!threads || !threads->numCPUs || !threads->multiThread || threads->numCPUs(&cpus) != OFX_OK || cpus < 2) return 0;
    return threads->multiThread(function, cpus, argument) == OFX_OK;
}

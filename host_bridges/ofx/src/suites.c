#include "suites.h"

#include "picture.h"
#include "platform.h"

const OfxPropertySuite *props;
const OfxImageEffectSuite *effects;
const OfxParameterSuite *params;
const OfxMessageSuiteV2 *messages;
const OfxProgressSuite *progress;
const OfxMultiThreadSuite *threads;
const OfxViewSuite *views;

OfxStatus suites_load(OfxHost *host) {
    if (!host) return OFX_ERR_MISSING_HOST_FEATURE;
    props = host->fetchSuite(host->host, SUITE_PROPERTY, 1);
    effects = host->fetchSuite(host->host, SUITE_EFFECT, 1);
    params = host->fetchSuite(host->host, SUITE_PARAMETER, 1);
    messages = host->fetchSuite(host->host, SUITE_MESSAGE, 2);
    progress = host->fetchSuite(host->host, SUITE_PROGRESS, 1);
    threads = host->fetchSuite(host->host, SUITE_THREAD, 1);
    views = host->fetchSuite(host->host, SUITE_VIEW, 2);
    if (!props || !effects || !params) return OFX_ERR_MISSING_HOST_FEATURE;
    picture_begin();
    platform_begin();
    return OFX_OK;
}

void suites_unload(void) {
    platform_end();
    props = NULL;
}

int get_int(OfxProps set, const char *name, int index, int other) {
    int value = other;
    return props->getInt(set, name, index, &value) == OFX_OK ? value : other;
}

double get_double(OfxProps set, const char *name, int index, double other) {
    double value = other;
    return props->getDouble(set, name, index, &value) == OFX_OK ? value : other;
}

const char *get_string(OfxProps set, const char *name, const char *other) {
    char *value = NULL;
    return props->getString(set, name, 0, &value) == OFX_OK && value ? value : other;
}

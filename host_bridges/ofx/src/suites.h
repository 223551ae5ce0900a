/* The host: its suites, and values of its property sets. */
#ifndef VR180_SUITES_H
#define VR180_SUITES_H

#include "ofx.h"

extern const OfxPropertySuite *props;
extern const OfxImageEffectSuite *effects;
extern const OfxParameterSuite *params;
extern const OfxMessageSuiteV2 *messages;   /* may be absent */
extern const OfxProgressSuite *progress;    /* may be absent */
extern const OfxMultiThreadSuite *threads;  /* may be absent */
extern const OfxViewSuite *views;           /* may be absent */

OfxStatus suites_load(OfxHost *host);
void suites_unload(void);

/* One value of a property; ``other`` where there is none. */
int get_int(OfxProps set, const char *name, int index, int other);
double get_double(OfxProps set, const char *name, int index, double other);
const char *get_string(OfxProps set, const char *name, const char *other);

#endif

/* The host: its suites, and values of its property sets. */
#ifndef VR180_SUITES_H
#define VR180_SUITES_H

#include "ofx.h"

extern const OfxPropertySuite *props;
extern const OfxImageEffectSuite *effects;
extern const OfxParameterSuite *params;

/* OFX_ERR_MISSING_HOST_FEATURE where the host lacks a suite that is needed, or has left a function of it unset. */
OfxStatus suites_load(OfxHost *host);
void suites_unload(void);

/* The name by which the host calls itself, such as "uk.co.thefoundry.nuke". */
const char *host_name(void);

/* One value of a property; ``other`` where there is none. */
int get_int(OfxProps set, const char *name, int index, int other);
double get_double(OfxProps set, const char *name, int index, double other);
const char *get_string(OfxProps set, const char *name, const char *other);
/* A whole number, whichever kind the host has made of it. 0 where there is none. */
int get_number(OfxProps set, const char *name, int *out);

/* What a host may not have, and then nothing happens. */
/* 0 where the host has no messages that stay. */
int say_persistently(OfxEffect effect, const char *type, const char *text);
void say_nothing_persistently(OfxEffect effect);
void say_once(OfxEffect effect, const char *type, const char *text);
void progress_start(OfxEffect effect, const char *label);
/* 0 when somebody has cancelled. */
int progress_update(OfxEffect effect, double share);
void progress_end(OfxEffect effect);
int view_count(OfxEffect effect);
const char *view_name(OfxEffect effect, int view);
/* On the host's threads; 0 when not all of it was done. */
int on_threads(OfxThreadFunction *function, void *argument);

#endif

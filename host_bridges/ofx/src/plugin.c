/* VR180Matte: a thin client of the frame server. The host's structures on one side, HTTP on the other, and no pictures of its own. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "ofx.h"
#include "parameters.h"
#include "picture.h"
#include "platform.h"
#include "server.h"

#ifndef PLUGIN_MAJOR
#define PLUGIN_MAJOR 1
#define PLUGIN_MINOR 0
#endif
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PARAMETERS COUNT(node_parameters)
/* Pictures that are kept: hosts ask for a frame in tiles, for both eyes, and for neighbours. */
#define SLOTS 4

static OfxHost *host;
static const OfxPropertySuite *props;
static const OfxImageEffectSuite *effects;
static const OfxParameterSuite *params;
static const OfxMessageSuiteV2 *messages;   /* may be absent */
static const OfxProgressSuite *progress;    /* may be absent */
static const OfxMultiThreadSuite *threads;  /* may be absent */
static const OfxViewSuite *views;           /* may be absent */
static char resources[ROOM];

/* What the parameters say at one time. */
typedef struct {
    Wanted wanted;
    int first_frame, invert, quality, view;
    double mix;
    char layer[128], folder[ROOM], frames[1024], output[2048];
} Values;

/* One fetched picture. busy: one thread fetches it or looks at it. */
typedef struct {
    int used, busy;
    long age;
    int n, draft;
    char view[8], layer[128];
    Wanted *wanted;
    Plane plane;
} Slot;

typedef struct {
    OfxEffect effect;
    OfxClip source, output;
    OfxParam handles[PARAMETERS];
    Session session;
    Mutex lock;
    Slot slots[SLOTS];
    long age;
    int has_message;
} Instance;

/* properties ------------------------------------------------------------------------------------------------- */

static int get_int(OfxProps set, const char *name, int index, int other) {
    int value = other;
    return props->getInt(set, name, index, &value) == OFX_OK ? value : other;
}

static double get_double(OfxProps set, const char *name, int index, double other) {
    double value = other;
    return props->getDouble(set, name, index, &value) == OFX_OK ? value : other;
}

static const char *get_string(OfxProps set, const char *name, const char *other) {
    char *value = NULL;
    return props->getString(set, name, 0, &value) == OFX_OK && value ? value : other;
}

static Instance *instance_of(const void *handle) {
    OfxProps set;
    void *instance = NULL;
    if (!handle || effects->getPropertySet((OfxEffect)handle, &set) != OFX_OK) return NULL;
    props->getPointer(set, P_INSTANCE_DATA, 0, &instance);
    return instance;
}

/* saying things ---------------------------------------------------------------------------------------------- */

static void say(Instance *instance, const char *type, const char *text) {
    if (messages && messages->setPersistent) messages->setPersistent(instance->effect, type, "", "%s", text);
    instance->has_message = 1;
}

static void say_nothing(Instance *instance) {
    if (instance->has_message && messages && messages->clearPersistent) messages->clearPersistent(instance->effect);
    instance->has_message = 0;
}

/* the parameters ---------------------------------------------------------------------------------------------- */

static int position(const char *name) {
    for (size_t i = 0; i < PARAMETERS; i++)
        if (!strcmp(node_parameters[i].name, name)) return (int)i;
    return -1;
}

static OfxParam handle_of(Instance *instance, const char *name) {
    int i = position(name);
    return i < 0 ? NULL : instance->handles[i];
}

static int int_value(Instance *instance, const char *name, double time, int other) {
    int value = other;
    OfxParam handle = handle_of(instance, name);
    return handle && params->getValueAtTime(handle, time, &value) == OFX_OK ? value : other;
}

static void text_value(Instance *instance, const char *name, double time, char *out, size_t size) {
    char *value = NULL;
    OfxParam handle = handle_of(instance, name);
    out[0] = 0;
    if (handle && params->getValueAtTime(handle, time, &value) == OFX_OK && value) snprintf(out, size, "%s", value);
}

/* A number as JSON, whatever decimal point the host's locale has. */
static int number_text(char *out, size_t size, double value) {
    long long millionths = llround(value * 1e6);
    const char *sign = millionths < 0 ? "-" : "";
    if (millionths < 0) millionths = -millionths;
    return snprintf(out, size, "%s%lld.%06lld", sign, millionths / 1000000, millionths % 1000000);
}

static int is_number(const char *text) { return *text && strspn(text, "0123456789.") == strlen(text); }

/* Appends "key":value when the parameter differs from its default. Returns the new length, 0 when there is no room. */
static size_t append_setting(Instance *instance, size_t i, double time, const char *key, int first, char *out, size_t used, size_t size) {
    const Parameter *p = &node_parameters[i];
    OfxParam handle = instance->handles[i];
    char value[512] = "";
    if (p->kind == K_FLOAT) {
        double d = p->number;
        params->getValueAtTime(handle, time, &d);
        if (d == p->number) return used;
        number_text(value, sizeof value, d);
    } else if (p->kind == K_INT || p->kind == K_BOOL || p->kind == K_CHOICE) {
        int n = (int)p->number, count = 0;
        params->getValueAtTime(handle, time, &n);
        if (n == (int)p->number) return used;
        if (p->kind == K_INT) snprintf(value, sizeof value, "%d", n);
        else if (p->kind == K_BOOL) snprintf(value, sizeof value, "%s", n ? "true" : "false");
        else {
            while (p->choices[count]) count++;
            if (n < 0 || n >= count) return used;
            snprintf(value, sizeof value, "%s", p->choices[n]);
        }
    } else {
        text_value(instance, p->name, time, value, sizeof value);
        if (!strcmp(value, p->text)) return used;
    }
    int n = snprintf(out + used, size - used, "%s\"%s\":", first ? "" : ",", key);
    if (n < 0 || (size_t)n >= size - used) return 0;
    used += (size_t)n;
    if (p->kind == K_TEXT || p->kind == K_FILE || p->kind == K_FOLDER || (p->kind == K_CHOICE && !is_number(value))) return json_append(out, used, size, value);
    n = snprintf(out + used, size - used, "%s", value);
    return n < 0 || (size_t)n >= size - used ? 0 : used + (size_t)n;
}

/* One section of the configuration as an object without braces. */
static size_t section_text(Instance *instance, const char *section, double time, char *out, size_t used, size_t size) {
    size_t begin = used, length = strlen(section);
    for (size_t i = 0; i < PARAMETERS && used; i++) {
        const char *setting = node_parameters[i].setting;
        if (strncmp(setting, section, length) || setting[length] != '.' || !instance->handles[i]) continue;
        used = append_setting(instance, i, time, setting + length + 1, used == begin, out, used, size);
    }
    return used;
}

static int settings_text(Instance *instance, double time, char *out, size_t size) {
    char done[256] = ".";
    size_t used = 0;
    int first = 1;
    out[used++] = '{';
    for (size_t i = 0; i < PARAMETERS; i++) {
        char section[32], marked[40], body[LONG_ROOM / 2];
        size_t length = strcspn(node_parameters[i].setting, ".");
        if (!*node_parameters[i].setting || length >= sizeof section) continue;
        memcpy(section, node_parameters[i].setting, length);
        section[length] = 0;
        snprintf(marked, sizeof marked, ".%s.", section);
        if (strstr(done, marked) || !strcmp(section, "output")) continue;
        snprintf(done + strlen(done), sizeof done - strlen(done), "%s.", section);
        body[0] = '{';
        size_t n = section_text(instance, section, time, body, 1, sizeof body);
        if (!n) return 0;
        if (n == 1) continue;
        body[n] = 0;
        int m = snprintf(out + used, size - used, "%s\"%s\":%s}", first ? "" : ",", section, body);
        if (m < 0 || (size_t)m >= size - used) return 0;
        used += (size_t)m;
        first = 0;
    }
    if (used + 2 > size) return 0;
    out[used++] = '}';
    out[used] = 0;
    return 1;
}

static int read_values(Instance *instance, double time, Values *v) {
    memset(v, 0, sizeof *v);
    text_value(instance, "clip", time, v->wanted.path, sizeof v->wanted.path);
    text_value(instance, "address", time, v->wanted.address, sizeof v->wanted.address);
    text_value(instance, "token_file", time, v->wanted.token_file, sizeof v->wanted.token_file);
    text_value(instance, "layer", time, v->layer, sizeof v->layer);
    text_value(instance, "folder", time, v->folder, sizeof v->folder);
    text_value(instance, "frames", time, v->frames, sizeof v->frames);
    v->wanted.start = int_value(instance, "start_server", time, 1);
    v->first_frame = int_value(instance, "first_frame", time, 1);
    v->invert = int_value(instance, "invert", time, 0);
    v->quality = int_value(instance, "quality", time, 0);
    v->view = int_value(instance, "view", time, 0);
    v->mix = 1;
    OfxParam mix = handle_of(instance, "mix");
    if (mix) params->getValueAtTime(mix, time, &v->mix);
    v->mix = v->mix < 0 ? 0 : v->mix > 1 ? 1 : v->mix;
    if (!*v->layer) strcpy(v->layer, "A");
    v->output[0] = '{';
    size_t n = section_text(instance, "output", time, v->output, 1, sizeof v->output - 2);
    if (!n || !settings_text(instance, time, v->wanted.settings, sizeof v->wanted.settings)) return 0;
    v->output[n] = '}';
    v->output[n + 1] = 0;
    return 1;
}

/* describing --------------------------------------------------------------------------------------------------- */

static OfxStatus load_suites(void) {
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

static OfxStatus describe(OfxEffect effect) {
    OfxProps set;
    if (effects->getPropertySet(effect, &set) != OFX_OK) return OFX_ERR_BAD_HANDLE;
    props->setString(set, P_LABEL, 0, NODE_LABEL);
    props->setString(set, P_SHORT_LABEL, 0, NODE_LABEL);
    props->setString(set, P_LONG_LABEL, 0, NODE_LABEL);
    props->setString(set, P_GROUPING, 0, "VR180");
    props->setString(set, P_DESCRIPTION, 0, NODE_HELP);
    props->setString(set, P_CONTEXTS, 0, CONTEXT_FILTER);
    props->setString(set, P_CONTEXTS, 1, CONTEXT_GENERAL);
    static const char *const depths[] = {DEPTH_FLOAT, DEPTH_HALF, DEPTH_SHORT, DEPTH_BYTE};
    for (int i = 0; i < 4; i++) props->setString(set, P_DEPTHS, i, depths[i]);
    props->setString(set, P_SAFETY, 0, FULLY_SAFE);
    props->setInt(set, P_HOST_THREADING, 0, 0);
    props->setInt(set, P_SINGLE_INSTANCE, 0, 0);
    props->setInt(set, P_MULTI_RESOLUTION, 0, 1);
    props->setInt(set, P_TILES, 0, 1);
    props->setInt(set, P_TEMPORAL, 0, 0);
    props->setInt(set, P_MULTI_DEPTH, 0, 0);
    props->setInt(set, P_MULTI_PAR, 0, 0);
    /* known to hosts with views alone */
    props->setInt(set, P_VIEW_AWARE, 0, 1);
    const char *path = get_string(set, P_FILE_PATH, "");
    snprintf(resources, sizeof resources, "%s%sContents/Resources", path, *path ? "/" : "");
    return OFX_OK;
}

static const char *type_of(Kind kind) {
    switch (kind) {
    case K_BOOL: return PARAM_BOOL;
    case K_INT: return PARAM_INT;
    case K_FLOAT: return PARAM_DOUBLE;
    case K_CHOICE: return PARAM_CHOICE;
    default: return PARAM_STRING;
    }
}

static void describe_parameter(OfxParamSet set, const Parameter *p) {
    OfxProps at;
    if (params->define(set, type_of(p->kind), p->name, &at) != OFX_OK) return;
    props->setString(at, P_LABEL, 0, p->label);
    props->setString(at, P_HINT, 0, p->help);
    props->setString(at, P_PARENT, 0, p->group);
    props->setInt(at, P_ANIMATES, 0, p->animatable);
    switch (p->kind) {
    case K_BOOL: props->setInt(at, P_DEFAULT, 0, (int)p->number); break;
    case K_INT:
        props->setInt(at, P_DEFAULT, 0, (int)p->number);
        props->setInt(at, P_MIN, 0, (int)p->minimum);
        props->setInt(at, P_MAX, 0, (int)p->maximum);
        props->setInt(at, P_DISPLAY_MIN, 0, (int)(p->minimum < 0 ? 0 : p->minimum));
        props->setInt(at, P_DISPLAY_MAX, 0, (int)(p->maximum > 10000 ? 10000 : p->maximum));
        break;
    case K_FLOAT:
        props->setDouble(at, P_DEFAULT, 0, p->number);
        props->setDouble(at, P_MIN, 0, p->minimum);
        props->setDouble(at, P_MAX, 0, p->maximum);
        props->setDouble(at, P_DISPLAY_MIN, 0, p->minimum);
        props->setDouble(at, P_DISPLAY_MAX, 0, p->maximum);
        break;
    case K_CHOICE:
        for (int i = 0; p->choices[i]; i++) props->setString(at, P_CHOICE_OPTION, i, p->choices[i]);
        props->setInt(at, P_DEFAULT, 0, (int)p->number);
        break;
    default:
        props->setString(at, P_STRING_MODE, 0, p->kind == K_FILE ? STRING_FILE : p->kind == K_FOLDER ? STRING_FOLDER : p->kind == K_MESSAGE ? STRING_LABEL : STRING_SINGLE);
        props->setString(at, P_DEFAULT, 0, p->text);
        /* a clip lies where the server sees it, which need not be here */
        if (p->kind == K_FILE || p->kind == K_FOLDER) props->setInt(at, P_PATH_EXISTS, 0, 0);
        if (p->kind == K_MESSAGE) {
            props->setInt(at, P_PERSISTENT, 0, 0);
            props->setInt(at, P_EVALUATE, 0, !strcmp(p->name, "people_list"));
        }
    }
    if (!strcmp(p->group, "output") || !strcmp(p->name, "start_server")) props->setInt(at, P_EVALUATE, 0, 0);
}

static OfxStatus describe_in_context(OfxEffect effect, OfxProps in) {
    OfxProps clip;
    OfxParamSet set;
    int general = !strcmp(get_string(in, P_CONTEXT, ""), CONTEXT_GENERAL);
    const char *const names[] = {"Source", "Output"};
    for (int i = 0; i < 2; i++) {
        OfxStatus status = effects->clipDefine(effect, names[i], &clip);
        if (status != OFX_OK) return status;
        props->setString(clip, P_SUPPORTED_COMPONENTS, 0, COMPONENT_RGBA);
        props->setString(clip, P_SUPPORTED_COMPONENTS, 1, COMPONENT_ALPHA);
        props->setInt(clip, P_TILES, 0, 1);
        if (!i && general) props->setInt(clip, P_OPTIONAL, 0, 1);
    }
    OfxStatus status = effects->getParamSet(effect, &set);
    if (status != OFX_OK) return status;
    OfxProps at;
    for (size_t i = 0; i < COUNT(node_groups); i++)
        if (params->define(set, PARAM_GROUP, node_groups[i].name, &at) == OFX_OK) props->setString(at, P_LABEL, 0, node_groups[i].label);
    for (size_t i = 0; i < PARAMETERS; i++) describe_parameter(set, &node_parameters[i]);
    for (size_t i = 0; i < COUNT(node_actions); i++) {
        if (params->define(set, PARAM_BUTTON, node_actions[i].name, &at) != OFX_OK) continue;
        props->setString(at, P_LABEL, 0, node_actions[i].label);
        props->setString(at, P_HINT, 0, node_actions[i].help);
        props->setString(at, P_PARENT, 0, node_actions[i].group);
    }
    /* hosts that show pages and not groups */
    if (params->define(set, PARAM_PAGE, "page", &at) == OFX_OK) {
        int n = 0;
        for (size_t i = 0; i < PARAMETERS; i++) props->setString(at, P_PAGE_CHILD, n++, node_parameters[i].name);
        for (size_t i = 0; i < COUNT(node_actions); i++) props->setString(at, P_PAGE_CHILD, n++, node_actions[i].name);
    }
    return OFX_OK;
}

/* instances ---------------------------------------------------------------------------------------------------- */

static OfxStatus create(OfxEffect effect) {
    OfxProps set;
    OfxParamSet own;
    Instance *instance = calloc(1, sizeof *instance);
    if (!instance) return OFX_ERR_MEMORY;
    instance->effect = effect;
    if (effects->getPropertySet(effect, &set) != OFX_OK || effects->getParamSet(effect, &own) != OFX_OK ||
        effects->clipGetHandle(effect, "Output", &instance->output, NULL) != OFX_OK) {
        free(instance);
        return OFX_ERR_BAD_HANDLE;
    }
    if (effects->clipGetHandle(effect, "Source", &instance->source, NULL) != OFX_OK) instance->source = NULL;
    for (size_t i = 0; i < PARAMETERS; i++)
        if (params->getHandle(own, node_parameters[i].name, &instance->handles[i], NULL) != OFX_OK) instance->handles[i] = NULL;
    session_init(&instance->session);
    mutex_init(&instance->lock);
    return props->setPointer(set, P_INSTANCE_DATA, 0, instance);
}

static OfxStatus destroy(OfxEffect effect) {
    OfxProps set;
    Instance *instance = instance_of(effect);
    if (!instance) return OFX_OK;
    if (effects->getPropertySet(effect, &set) == OFX_OK) props->setPointer(set, P_INSTANCE_DATA, 0, NULL);
    for (int i = 0; i < SLOTS; i++) {
        buffer_free(&instance->slots[i].plane.data);
        free(instance->slots[i].wanted);
    }
    session_free(&instance->session);
    mutex_destroy(&instance->lock);
    free(instance);
    return OFX_OK;
}

static OfxStatus purge(Instance *instance) {
    mutex_lock(&instance->lock);
    for (int i = 0; i < SLOTS; i++)
        if (!instance->slots[i].busy) {
            buffer_free(&instance->slots[i].plane.data);
            instance->slots[i].used = 0;
        }
    mutex_unlock(&instance->lock);
    return OFX_OK;
}

/* pictures that were fetched ------------------------------------------------------------------------------------ */

/* A slot for this picture, held by the caller alone or, when *ready, shared and whole. Waits for whoever fetches the same one. */
static Slot *take_slot(Instance *instance, const Values *v, int n, const char *view, int draft, Stop stop) {
    for (;;) {
        Slot *best = NULL;
        mutex_lock(&instance->lock);
        for (int i = 0; i < SLOTS; i++) {
            Slot *s = &instance->slots[i];
            if (s->used && s->n == n && s->draft == draft && !strcmp(s->view, view) && !strcmp(s->layer, v->layer) && !memcmp(s->wanted, &v->wanted, sizeof v->wanted)) {
                best = s->busy ? NULL : s;
                goto chosen;
            }
        }
        for (int i = 0; i < SLOTS; i++) {
            Slot *s = &instance->slots[i];
            if (!s->busy && (!best || (!s->used && best->used) || (s->used == best->used && s->age < best->age))) best = s;
        }
        if (best) {
            if (!best->wanted) best->wanted = malloc(sizeof *best->wanted);
            if (!best->wanted) {
                best = NULL;
            } else {
                best->used = 1;
                best->n = n;
                best->draft = draft;
                snprintf(best->view, sizeof best->view, "%s", view);
                snprintf(best->layer, sizeof best->layer, "%s", v->layer);
                *best->wanted = v->wanted;
                best->plane.etag[0] = 0;
                best->plane.width = best->plane.height = 0;
            }
        }
    chosen:
        if (best) {
            best->busy = 1;
            best->age = ++instance->age;
        }
        mutex_unlock(&instance->lock);
        if (best) return best;
        if (stop.ask && stop.ask(stop.argument)) return NULL;
        sleep_s(0.002);
    }
}

static void leave_slot(Instance *instance, Slot *slot, int usable) {
    mutex_lock(&instance->lock);
    slot->busy = 0;
    if (!usable) slot->used = 0;
    mutex_unlock(&instance->lock);
}

/* rendering ------------------------------------------------------------------------------------------------------ */

static int ask_abort(void *argument) { return effects->abort(((Instance *)argument)->effect); }

typedef struct {
    Instance *instance;
    double said;
} Waiting;

static int tell_render(void *argument, int done, int total, const char *what) {
    Waiting *waiting = argument;
    char text[160];
    if (clock_s() - waiting->said > 0.5) {
        waiting->said = clock_s();
        if (total) snprintf(text, sizeof text, "%s: %d of %d frames", what, done, total);
        else snprintf(text, sizeof text, "%s", what);
        say(waiting->instance, MESSAGE_MESSAGE, text);
    }
    return 1;
}

static int depth_of(const char *name, Depth *out) {
    static const char *const names[] = {DEPTH_BYTE, DEPTH_SHORT, DEPTH_HALF, DEPTH_FLOAT};
    for (int i = 0; i < 4; i++)
        if (!strcmp(name, names[i])) return *out = (Depth)i, 1;
    return 0;
}

static OfxStatus read_picture(OfxProps image, Picture *out) {
    void *data = NULL;
    props->getPointer(image, P_IMAGE_DATA, 0, &data);
    out->data = data;
    int *b = &out->bounds.x1;
    for (int i = 0; i < 4; i++) b[i] = get_int(image, P_IMAGE_BOUNDS, i, 0);
    out->row_bytes = get_int(image, P_IMAGE_ROW_BYTES, 0, 0);
    const char *components = get_string(image, P_COMPONENTS, "");
    out->channels = !strcmp(components, COMPONENT_RGBA) ? 4 : !strcmp(components, COMPONENT_ALPHA) ? 1 : 0;
    return data && out->channels && depth_of(get_string(image, P_DEPTH, ""), &out->depth) ? OFX_OK : OFX_ERR_FORMAT;
}

/* Which eye: what the parameter says, or what the host renders, or both. */
static void choose_view(Instance *instance, OfxProps in, const Values *v, char *out, size_t size) {
    static const char *const fixed[] = {"", "left", "right", "both"};
    int number = get_int(in, P_VIEW, 0, -1);
    char *name = NULL;
    const char *view = v->view > 0 && v->view < 4 ? fixed[v->view] : "both";
    if (v->view == 0 && number >= 0) {
        int count = 1;
        if (views && views->getViewCount && views->getViewCount(instance->effect, &count) == OFX_OK && count < 2) number = -1;
        if (number >= 0 && views && views->getViewName) views->getViewName(instance->effect, number, &name);
        if (name && (*name == 'l' || *name == 'L')) view = "left";
        else if (name && (*name == 'r' || *name == 'R')) view = "right";
        else if (number >= 0) view = number == 1 ? "right" : "left";
    }
    snprintf(out, size, "%s", view);
}

typedef struct {
    Instance *instance;
    const Values *values;
    int n, draft;
    const char *view;
    Slot *slot;
    Outcome outcome;
    char error[1024];
} Fetch;

static void fetch(void *argument) {
    Fetch *f = argument;
    Stop stop = {ask_abort, f->instance};
    Waiting waiting = {f->instance, clock_s()};
    Watch watch = {tell_render, &waiting};
    f->outcome = STOPPED;
    f->slot = take_slot(f->instance, f->values, f->n, f->view, f->draft, stop);
    if (f->slot)
        f->outcome = session_frame(&f->instance->session, &f->values->wanted, resources, f->n, f->view, f->values->layer, f->draft, stop, watch,
                                   &f->slot->plane, f->error, sizeof f->error);
}

static void copy(void *argument) { picture_copy(argument); }

static void matte_rows(unsigned int index, unsigned int count, void *argument) { picture_matte(argument, index, count); }

/* Where the input's frame lies, in pixels at the render scale. */
static OfxRectD frame_of(Instance *instance, double time, double sx, double sy, const Picture *target) {
    OfxRectD r = {target->bounds.x1, target->bounds.y1, target->bounds.x2, target->bounds.y2};
    OfxRectD canonical;
    OfxClip clip = instance->source ? instance->source : instance->output;
    if (effects->clipGetRegionOfDefinition(clip, time, &canonical) == OFX_OK && canonical.x2 > canonical.x1 && canonical.y2 > canonical.y1) {
        r.x1 = canonical.x1 * sx;
        r.x2 = canonical.x2 * sx;
        r.y1 = canonical.y1 * sy;
        r.y2 = canonical.y2 * sy;
    }
    return r;
}

static OfxStatus make_picture(Instance *instance, OfxProps in, double time, const Values *v, Job *job) {
    Fetch f;
    char view[8];
    memset(&f, 0, sizeof f);
    choose_view(instance, in, v, view, sizeof view);
    f.instance = instance;
    f.values = v;
    f.n = (int)floor(time + 0.5) - v->first_frame;
    f.view = view;
    f.draft = v->quality == 2 || (v->quality == 0 && get_int(in, P_RENDER_DRAFT, 0, 0));
    f.outcome = DONE;
    int count = 0;
    if (f.n >= 0) {
        Stop stop = {ask_abort, instance};
        f.outcome = session_open(&instance->session, &v->wanted, resources, stop, f.error, sizeof f.error);
        mutex_lock(&instance->session.lock);
        count = instance->session.frames;
        if (instance->session.views < 2) snprintf(view, sizeof view, "%s", "");
        mutex_unlock(&instance->session.lock);
    }
    /* before and after the clip there is nobody */
    int there = f.n >= 0 && f.n < count;
    if (f.outcome == DONE && there) run_both(copy, job, fetch, &f);
    else picture_copy(job);
    if (f.outcome == DONE || f.outcome == UNCHANGED) {
        unsigned int cpus = 1;
        job->plane = f.slot ? &f.slot->plane : NULL;
        if (threads && threads->numCPUs && threads->numCPUs(&cpus) == OFX_OK && cpus > 1) threads->multiThread(matte_rows, cpus, job);
        else matte_rows(0, 1, job);
        say_nothing(instance);
        if (f.slot) leave_slot(instance, f.slot, 1);
        return OFX_OK;
    }
    if (f.slot) leave_slot(instance, f.slot, 0);
    if (f.outcome == STOPPED) return OFX_FAILED;
    say(instance, MESSAGE_ERROR, f.error);
    return OFX_FAILED;
}

static OfxStatus render(Instance *instance, OfxProps in) {
    double time = get_double(in, P_TIME, 0, 0), sx = get_double(in, P_RENDER_SCALE, 0, 1), sy = get_double(in, P_RENDER_SCALE, 1, 1);
    Job job;
    OfxProps target = NULL, source = NULL, clip;
    memset(&job, 0, sizeof job);
    int *w = &job.window.x1;
    for (int i = 0; i < 4; i++) w[i] = get_int(in, P_RENDER_WINDOW, i, 0);
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = OFX_OK;
    if (!read_values(instance, time, v)) {
        say(instance, MESSAGE_ERROR, "the parameters are too long");
        status = OFX_FAILED;
    }
    if (status == OFX_OK) status = effects->clipGetImage(instance->output, time, NULL, &target);
    if (status == OFX_OK) status = read_picture(target, &job.target);
    if (status == OFX_OK && instance->source && effects->clipGetPropertySet(instance->source, &clip) == OFX_OK && get_int(clip, P_CONNECTED, 0, 1)) {
        /* an input that has nothing at this time is black, says the specification */
        if (effects->clipGetImage(instance->source, time, NULL, &source) == OFX_OK) status = read_picture(source, &job.source);
        if (status == OFX_OK && source && (job.source.channels != job.target.channels || job.source.depth != job.target.depth)) {
            say(instance, MESSAGE_ERROR, "the host gives an input of another kind than the output");
            status = OFX_ERR_FORMAT;
        }
    }
    if (status == OFX_OK) {
        OfxRectI b = job.target.bounds;
        if (job.window.x1 < b.x1) job.window.x1 = b.x1;
        if (job.window.y1 < b.y1) job.window.y1 = b.y1;
        if (job.window.x2 > b.x2) job.window.x2 = b.x2;
        if (job.window.y2 > b.y2) job.window.y2 = b.y2;
        job.frame = frame_of(instance, time, sx, sy, &job.target);
        job.invert = v->invert;
        job.mix = (float)v->mix;
        if (job.window.x1 < job.window.x2 && job.window.y1 < job.window.y2) status = make_picture(instance, in, time, v, &job);
    }
    if (source) effects->clipReleaseImage(source);
    if (target) effects->clipReleaseImage(target);
    free(v);
    return status;
}

static OfxStatus identity(Instance *instance, OfxProps in, OfxProps out) {
    double time = get_double(in, P_TIME, 0, 0), mix = 1;
    OfxProps clip;
    OfxParam handle = handle_of(instance, "mix");
    if (!handle || params->getValueAtTime(handle, time, &mix) != OFX_OK || mix > 0) return OFX_REPLY_DEFAULT;
    if (!instance->source || effects->clipGetPropertySet(instance->source, &clip) != OFX_OK || !get_int(clip, P_CONNECTED, 0, 1)) return OFX_REPLY_DEFAULT;
    props->setString(out, P_NAME, 0, "Source");
    props->setDouble(out, P_TIME, 0, time);
    return OFX_OK;
}

/* Without an input, what is shown is as large as the clip. */
static OfxStatus without_input(Instance *instance, const char *action, OfxProps in, OfxProps out) {
    OfxProps clip;
    Stop none = {0};
    char error[1024];
    if (instance->source && effects->clipGetPropertySet(instance->source, &clip) == OFX_OK && get_int(clip, P_CONNECTED, 0, 1)) return OFX_REPLY_DEFAULT;
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = OFX_REPLY_DEFAULT;
    if (read_values(instance, get_double(in, P_TIME, 0, 0), v) && *v->wanted.path &&
        session_open(&instance->session, &v->wanted, resources, none, error, sizeof error) == DONE) {
        char view[8];
        choose_view(instance, in, v, view, sizeof view);
        Session *s = &instance->session;
        mutex_lock(&s->lock);
        int both = !strcmp(view, "both") || s->views < 2;
        double values[4] = {0, 0, both ? s->width : s->eye_width, both ? s->height : s->eye_height};
        double range[2] = {v->first_frame, v->first_frame + s->frames - 1};
        mutex_unlock(&s->lock);
        if (!strcmp(action, ACTION_ROD)) props->setDoubleN(out, P_REGION_OF_DEFINITION, 4, values);
        else props->setDoubleN(out, P_FRAME_RANGE, 2, range);
        status = OFX_OK;
    }
    free(v);
    return status;
}

/* buttons ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    Instance *instance;
    int refused;
} Bar;

static int tell_bar(void *argument, int done, int total, const char *what) {
    Bar *bar = argument;
    (void)what;
    if (progress && total && progress->update(bar->instance->effect, (double)done / total) == OFX_REPLY_NO) bar->refused = 1;
    return !bar->refused;
}

static int bar_stopped(void *argument) { return ((Bar *)argument)->refused; }

static void set_text(Instance *instance, const char *name, const char *text) {
    OfxParam handle = handle_of(instance, name);
    if (handle) params->setValue(handle, text);
}

/* Ranges in the host's numbers as the server counts them. Returns 0 when they are none. */
static int ranges(const char *text, int first_frame, char *out, size_t size) {
    size_t used = 0;
    while (*text == ' ') text++;
    if (!*text || !strncmp(text, "all", 3)) return snprintf(out, size, "all"), 1;
    while (*text) {
        char *end;
        long a = strtol(text, &end, 10), b = a;
        if (end == text) return 0;
        if (*end == '-') {
            text = end + 1;
            b = strtol(text, &end, 10);
            if (end == text) return 0;
        }
        while (*end == ' ') end++;
        if ((*end && *end != ',') || a < first_frame || b < a) return 0;
        int n = snprintf(out + used, size - used, "%s%ld-%ld", used ? "," : "", a - first_frame, b - first_frame);
        if (n < 0 || (size_t)n >= size - used) return 0;
        used += (size_t)n;
        text = *end ? end + 1 : end;
    }
    return used > 0;
}

static Outcome press_render(Instance *instance, const Values *v, Stop stop, Watch watch, char *said, size_t size) {
    char list[1024];
    char body[ROOM * 2 + 4096];
    if (!*v->folder) return snprintf(said, size, "Folder is empty; name where the EXR files are to be written"), FAILED;
    if (!ranges(v->frames, v->first_frame, list, sizeof list))
        return snprintf(said, size, "Frames is %s; allowed are all, or ranges such as 1-48,100, from First frame (%d) on", v->frames, v->first_frame), FAILED;
    memcpy(body, "{\"path\":", 8);
    size_t used = json_append(body, 8, sizeof body, v->folder);
    if (!used) return snprintf(said, size, "Folder is too long"), FAILED;
    snprintf(body + used, sizeof body - used, ",\"frames\":\"%s\",\"output\":%s}", list, v->output);
    Outcome outcome = session_analyse(&instance->session, &v->wanted, resources, stop, watch, said, size, said, size);
    return outcome == DONE ? session_render(&instance->session, &v->wanted, resources, body, stop, watch, said, size) : outcome;
}

static void press(Instance *instance, const char *name, double time) {
    Bar bar = {instance, 0};
    Stop stop = {bar_stopped, &bar};
    Watch watch = {tell_bar, &bar};
    char said[2048] = "", people[2048] = "";
    const char *label = name;
    Outcome outcome = FAILED;
    Values *v = malloc(sizeof *v);
    if (!v) return;
    for (size_t i = 0; i < COUNT(node_actions); i++)
        if (!strcmp(node_actions[i].name, name)) label = node_actions[i].label;
    if (progress) progress->start(instance->effect, label);
    if (!read_values(instance, time, v)) {
        snprintf(said, sizeof said, "the parameters are too long");
    } else if (!strcmp(name, "render")) {
        outcome = press_render(instance, v, stop, watch, said, sizeof said);
    } else {
        outcome = DONE;
        if (!strcmp(name, "reconnect")) session_forget(&instance->session);
        if (!strcmp(name, "clear_cache")) outcome = session_delete(&instance->session, &v->wanted, resources, "cache", stop, said, sizeof said);
        if (!strcmp(name, "forget_corrections")) outcome = session_delete(&instance->session, &v->wanted, resources, "people", stop, said, sizeof said);
        if (outcome == DONE) outcome = session_analyse(&instance->session, &v->wanted, resources, stop, watch, people, sizeof people, said, sizeof said);
        if (outcome == DONE) {
            snprintf(said, sizeof said, "%s: done", label);
            set_text(instance, "people_list", people);
        }
        purge(instance);
    }
    if (progress) progress->end(instance->effect);
    if (outcome == STOPPED && !*said) snprintf(said, sizeof said, "cancelled");
    set_text(instance, "status", said);
    if (outcome == FAILED && messages && messages->message) messages->message(instance->effect, MESSAGE_ERROR, "", "%s", said);
    free(v);
}

static OfxStatus changed(Instance *instance, OfxProps in) {
    const char *name = get_string(in, P_NAME, "");
    if (strcmp(get_string(in, P_CHANGE_REASON, ""), CHANGE_USER)) return OFX_REPLY_DEFAULT;
    for (size_t i = 0; i < COUNT(node_actions); i++)
        if (!strcmp(node_actions[i].name, name)) {
            press(instance, name, get_double(in, P_TIME, 0, 0));
            return OFX_OK;
        }
    /* what was wrong may be right now */
    say_nothing(instance);
    return OFX_REPLY_DEFAULT;
}

/* the door ----------------------------------------------------------------------------------------------------------- */

static OfxStatus entry(const char *action, const void *handle, OfxProps in, OfxProps out) {
    if (!strcmp(action, ACTION_LOAD)) return load_suites();
    if (!props) return OFX_ERR_MISSING_HOST_FEATURE;
    if (!strcmp(action, ACTION_UNLOAD)) {
        platform_end();
        props = NULL;
        return OFX_OK;
    }
    if (!strcmp(action, ACTION_DESCRIBE)) return describe((OfxEffect)handle);
    if (!strcmp(action, ACTION_DESCRIBE_IN_CONTEXT)) return describe_in_context((OfxEffect)handle, in);
    if (!strcmp(action, ACTION_CREATE)) return create((OfxEffect)handle);
    if (!strcmp(action, ACTION_DESTROY)) return destroy((OfxEffect)handle);
    Instance *instance = instance_of(handle);
    if (!instance) return OFX_REPLY_DEFAULT;
    if (!strcmp(action, ACTION_RENDER)) return render(instance, in);
    if (!strcmp(action, ACTION_IDENTITY)) return identity(instance, in, out);
    if (!strcmp(action, ACTION_CHANGED)) return changed(instance, in);
    if (!strcmp(action, ACTION_PURGE)) return purge(instance);
    if (!strcmp(action, ACTION_ROD) || !strcmp(action, ACTION_TIME_DOMAIN)) return without_input(instance, action, in, out);
    if (!strcmp(action, ACTION_PREFERENCES)) {
        props->setInt(out, P_FRAME_VARYING, 0, 1);
        props->setString(out, P_PREMULTIPLICATION, 0, UNPREMULTIPLIED);
        return OFX_OK;
    }
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

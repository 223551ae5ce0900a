#include "values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "parameters.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PARAMETERS COUNT(node_parameters)
_Static_assert(PARAMETERS <= MOST_PARAMETERS, "MOST_PARAMETERS is too small");

static int position(const char *name) {
    for (size_t i = 0; i < PARAMETERS; i++)
        if (!strcmp(node_parameters[i].name, name)) return (int)i;
    return -1;
}

OfxParam handle_of(OfxParam const *handles, const char *name) {
    int i = position(name);
    return i < 0 ? NULL : handles[i];
}

static int int_value(OfxParam const *handles, const char *name, double time, int other) {
    int value = other;
    OfxParam handle = handle_of(handles, name);
    return handle && params->getValueAtTime(handle, time, &value) == OFX_OK ? value : other;
}

static void text_value(OfxParam const *handles, const char *name, double time, char *out, size_t size) {
    char *value = NULL;
    OfxParam handle = handle_of(handles, name);
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

static size_t quoted(char *out, size_t size, const char *text) {
    out[0] = ' ';
    size_t used = json_append(out, 1, size, text);
    if (!used) return 0;
    memmove(out, out + 1, used);
    return used - 1;
}

/* A value as JSON: a number, or the position of a choice. Returns its length, 0 when there is no room. */
static size_t number_value(const Parameter *p, double d, char *out, size_t size) {
    int n = 0, count = 0, chosen = (int)d;
    if (p->kind == K_FLOAT) n = number_text(out, size, d);
    else if (p->kind == K_INT) n = snprintf(out, size, "%d", chosen);
    else if (p->kind == K_BOOL) n = snprintf(out, size, "%s", chosen ? "true" : "false");
    else {
        while (p->choices[count]) count++;
        const char *text = p->choices[chosen < 0 || chosen >= count ? (int)p->number : chosen];
        if (!is_number(text)) return quoted(out, size, text);
        n = snprintf(out, size, "%s", text);
    }
    return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

static int is_text(const Parameter *p) { return p->kind != K_FLOAT && p->kind != K_INT && p->kind != K_BOOL && p->kind != K_CHOICE; }

static size_t default_value(size_t i, char *out, size_t size) {
    const Parameter *p = &node_parameters[i];
    size_t used = is_text(p) ? quoted(out, size, p->text) : number_value(p, p->number, out, size);
    out[used] = 0;
    return used;
}

/* What a parameter says at a time, as JSON. Returns its length, 0 when there is no room. */
static size_t setting_value(OfxParam const *handles, size_t i, double time, char *out, size_t size) {
    const Parameter *p = &node_parameters[i];
    size_t used;
    if (p->kind == K_FLOAT) {
        double d = p->number;
        params->getValueAtTime(handles[i], time, &d);
        used = number_value(p, d, out, size);
    } else if (is_text(p)) {
        char value[512];
        text_value(handles, p->name, time, value, sizeof value);
        used = quoted(out, size, value);
    } else {
        int n = (int)p->number;
        params->getValueAtTime(handles[i], time, &n);
        used = number_value(p, n, out, size);
    }
    out[used] = 0;
    return used;
}

/* Appends "key":value when the parameter differs from its default. Returns the new length, 0 when there is no room. */
static size_t append_setting(OfxParam const *handles, size_t i, double time, const char *key, int first, char *out, size_t used, size_t size) {
    char value[1024], other[1024];
    if (!setting_value(handles, i, time, value, sizeof value)) return 0;
    default_value(i, other, sizeof other);
    if (!strcmp(value, other)) return used;
    int n = snprintf(out + used, size - used, "%s\"%s\":%s", first ? "" : ",", key, value);
    return n < 0 || (size_t)n >= size - used ? 0 : used + (size_t)n;
}

/* One section of the configuration as an object without braces. */
static size_t section_text(OfxParam const *handles, const char *section, double time, char *out, size_t used, size_t size) {
    size_t begin = used, length = strlen(section);
    for (size_t i = 0; i < PARAMETERS && used; i++) {
        const char *setting = node_parameters[i].setting;
        if (strncmp(setting, section, length) || setting[length] != '.' || !handles[i]) continue;
        used = append_setting(handles, i, time, setting + length + 1, used == begin, out, used, size);
    }
    return used;
}

static int settings_text(OfxParam const *handles, double time, char *out, size_t size) {
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
        /* edges go with the frames that are asked for: with other ones it is the same clip */
        if (strstr(done, marked) || !strcmp(section, "output") || !strcmp(section, "edges")) continue;
        snprintf(done + strlen(done), sizeof done - strlen(done), "%s.", section);
        body[0] = '{';
        size_t n = section_text(handles, section, time, body, 1, sizeof body);
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

int read_values(OfxParam const *handles, double time, Values *v) {
    memset(v, 0, sizeof *v);
    text_value(handles, "clip", time, v->wanted.path, sizeof v->wanted.path);
    /* an expression of the host that it could not resolve: of an input that is no file */
    if (!strncmp(v->wanted.path, "[metadata", 9)) memset(v->wanted.path, 0, sizeof v->wanted.path);
    text_value(handles, "address", time, v->wanted.address, sizeof v->wanted.address);
    text_value(handles, "token_file", time, v->wanted.token_file, sizeof v->wanted.token_file);
    text_value(handles, "layer", time, v->layer, sizeof v->layer);
    text_value(handles, "folder", time, v->folder, sizeof v->folder);
    text_value(handles, "frames", time, v->frames, sizeof v->frames);
    v->wanted.start = int_value(handles, "start_server", time, 1);
    v->first_frame = int_value(handles, "first_frame", time, 1);
    v->find_frame = int_value(handles, "find_frame", time, 1);
    v->invert = int_value(handles, "invert", time, 0);
    v->quality = int_value(handles, "quality", time, 0);
    v->view = int_value(handles, "view", time, 0);
    v->mix = 1;
    OfxParam mix = handle_of(handles, "mix");
    if (mix) params->getValueAtTime(mix, time, &v->mix);
    v->mix = v->mix < 0 ? 0 : v->mix > 1 ? 1 : v->mix;
    if (!*v->layer) strcpy(v->layer, "A");
    v->output[0] = '{';
    size_t n = section_text(handles, "output", time, v->output, 1, sizeof v->output - 2);
    if (!n || !settings_text(handles, time, v->wanted.settings, sizeof v->wanted.settings)) return 0;
    v->output[n] = '}';
    v->output[n + 1] = 0;
    v->mask_keeps = int_value(handles, "mask_mode", time, 0) == 1;
    v->edges[0] = '{';
    n = section_text(handles, "edges", time, v->edges, 1, sizeof v->edges - 2);
    if (!n) return 0;
    v->edges[n] = '}';
    v->edges[n + 1] = 0;
    return 1;
}

static int is_edge(size_t i) { return !strncmp(node_parameters[i].setting, "edges.", 6); }

int edges_are_keyed(OfxParam const *handles) {
    for (size_t i = 0; i < PARAMETERS; i++) {
        unsigned int keys = 0;
        if (is_edge(i) && handles[i] && params->getNumKeys && params->getNumKeys(handles[i], &keys) == OFX_OK && keys) return 1;
    }
    return 0;
}

static int put(Buffer *out, const char *text) { return buffer_append(out, text, strlen(text)); }

/* One parameter: "name":[[n,value],...] of the frames at which it changes, and of those beside them; nothing where it is always the default. */
static int one_over_time(OfxParam const *handles, size_t i, double first, int frames, int begun, Buffer *out) {
    char before[160] = "", text[160] = "", after[160], item[256];
    int kept = 0, varies = 0;
    for (int n = 0; n < frames && !varies; n++) {
        varies = setting_value(handles, i, first + n, after, sizeof after) && default_value(i, text, sizeof text) && strcmp(after, text);
    }
    if (!varies) return begun;
    snprintf(item, sizeof item, "%s\"%s\":[", begun ? "," : "", node_parameters[i].setting + 6);
    if (!put(out, item)) return -1;
    setting_value(handles, i, first, text, sizeof text);
    for (int n = 0; n < frames; n++) {
        if (n + 1 < frames) setting_value(handles, i, first + n + 1, after, sizeof after);
        /* the server draws straight lines between these: all that do not lie on one are told */
        if (!n || n + 1 == frames || strcmp(text, before) || strcmp(text, after)) {
            snprintf(item, sizeof item, "%s[%d,%s]", kept++ ? "," : "", n, text);
            if (!put(out, item)) return -1;
        }
        memcpy(before, text, sizeof before);
        memcpy(text, after, sizeof text);
    }
    return put(out, "]") ? 1 : -1;
}

int edges_over_time(OfxParam const *handles, double first, int frames, Buffer *out) {
    int begun = 0;
    if (!put(out, "{")) return 0;
    for (size_t i = 0; i < PARAMETERS && begun >= 0; i++)
        if (is_edge(i) && handles[i]) begun = one_over_time(handles, i, first, frames, begun, out);
    return begun >= 0 && put(out, "}");
}

void find_handles(OfxParamSet set, Handles handles) {
    for (size_t i = 0; i < PARAMETERS; i++)
        if (params->getHandle(set, node_parameters[i].name, &handles[i], NULL) != OFX_OK) handles[i] = NULL;
}

void set_text(OfxParam const *handles, const char *name, const char *text) {
    OfxParam handle = handle_of(handles, name);
    if (handle) params->setValue(handle, text);
}

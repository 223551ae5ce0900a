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

/* Appends "key":value when the parameter differs from its default. Returns the new length, 0 when there is no room. */
static size_t append_setting(OfxParam const *handles, size_t i, double time, const char *key, int first, char *out, size_t used, size_t size) {
    const Parameter *p = &node_parameters[i];
    OfxParam handle = handles[i];
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
        text_value(handles, p->name, time, value, sizeof value);
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
    return 1;
}

void find_handles(OfxParamSet set, Handles handles) {
    for (size_t i = 0; i < PARAMETERS; i++)
        if (params->getHandle(set, node_parameters[i].name, &handles[i], NULL) != OFX_OK) handles[i] = NULL;
}

void set_text(OfxParam const *handles, const char *name, const char *text) {
    OfxParam handle = handle_of(handles, name);
    if (handle) params->setValue(handle, text);
}

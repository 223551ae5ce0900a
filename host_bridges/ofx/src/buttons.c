#include "buttons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "json.h"
#include "parameters.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

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
    if (!read_values(instance->handles, time, v)) {
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
            set_text(instance->handles, "people_list", people);
        }
        instance_purge(instance);
    }
    if (progress) progress->end(instance->effect);
    if (outcome == STOPPED && !*said) snprintf(said, sizeof said, "cancelled");
    set_text(instance->handles, "status", said);
    if (outcome == FAILED && messages && messages->message) messages->message(instance->effect, MESSAGE_ERROR, "", "%s", said);
    free(v);
}

OfxStatus changed(Instance *instance, OfxProps in) {
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

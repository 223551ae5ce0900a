#include "buttons.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "parameters.h"
#include "plates.h"
#include "reach.h"
#include "shared.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
/* How often the host is asked whether somebody has cancelled. */
#define ASK_S 0.1

/* The host's progress bar. */
typedef struct {
    Instance *instance;
    double share, asked;
    int refused;
} Bar;

static int tell_bar(void *argument, int done, int total, const char *what) {
    Bar *bar = argument;
    (void)what;
    if (total > 0) bar->share = (double)done / total;
    if (!bar->refused) bar->refused = !progress_update(bar->instance->effect, bar->share);
    bar->asked = clock_s();
    return !bar->refused;
}

/* Hosts tell of a cancelled bar when it is moved: so it is moved, to where it is, also while nothing is known to tell. */
static int bar_stopped(void *argument) {
    Bar *bar = argument;
    if (!bar->refused && clock_s() - bar->asked > ASK_S) {
        bar->asked = clock_s();
        bar->refused = !progress_update(bar->instance->effect, bar->share);
    }
    return bar->refused;
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

static Outcome press_render(Call *call, const Told *told, OfxParam const *handles, const Values *v, char *said, size_t size) {
    char list[1024], people[2048];
    char begin[ROOM * 2 + 4096];
    Buffer body = {0};
    Facts facts;
    int first, placed;
    if (!*v->folder) return snprintf(said, size, "Folder is empty; name where the EXR files are to be written"), FAILED;
    Outcome outcome = session_open(call, &facts);
    if (outcome == DONE) outcome = session_analyse(call, people, sizeof people);
    if (outcome == FAILED) return snprintf(said, size, "%s", call->error), FAILED;
    if (outcome != DONE) return outcome;
    /* all of it has no numbers */
    placed = choose_first(told, v, &facts, &first, said, size);
    if (!placed && edges_are_keyed(handles)) return FAILED;
    if (!ranges(v->frames, 0, list, sizeof list) || strcmp(list, "all")) {
        if (!placed) return FAILED;
        if (!ranges(v->frames, first, list, sizeof list))
            return snprintf(said, size, "Frames is %s; allowed are all, or ranges such as 1-48,100, from the clip's first frame (%d) on", v->frames, first), FAILED;
    }
    memcpy(begin, "{\"path\":", 8);
    size_t used = json_append(begin, 8, sizeof begin, v->folder);
    if (!used) return snprintf(said, size, "Folder is too long"), FAILED;
    snprintf(begin + used, sizeof begin - used, ",\"frames\":\"%s\",\"output\":%s,\"edges\":", list, v->output);
    /* where the clip lies is not known and need not be: nothing changes over time */
    int whole = buffer_append(&body, begin, strlen(begin)) &&
                (placed ? edges_over_time(handles, first, facts.frames, &body) : buffer_append(&body, v->edges, strlen(v->edges))) && buffer_append(&body, "}", 1);
    said[0] = 0;
    if (whole) outcome = session_render(call, body.data, said, size);
    else snprintf(said, size, "there is not enough memory"), outcome = FAILED;
    buffer_free(&body);
    return outcome;
}

/* Every button but the one that renders: something is done, and then the people are looked at. */
static Outcome press_other(Instance *instance, Call *call, const char *name, const char *label, char *said, size_t size) {
    char people[2048] = "";
    Outcome outcome = DONE;
    if (!strcmp(name, "reconnect")) session_forget(call->session);
    if (!strcmp(name, "clear_cache")) outcome = session_delete(call, "cache");
    if (!strcmp(name, "forget_corrections")) outcome = session_delete(call, "people");
    if (outcome == DONE) outcome = session_analyse(call, people, sizeof people);
    if (outcome == DONE) {
        snprintf(said, size, "%s: done", label);
        set_text(instance->handles, "people_list", people);
    }
    if (outcome == FAILED) snprintf(said, size, "%s", call->error);
    /* what was cancelled is not wanted: the server need not go on */
    if (outcome == STOPPED && call->analysing) session_give_up(call->session, call->asker);
    purge_slots();
    raise_revision(instance);
    return outcome;
}

static void press(Instance *instance, OfxProps in, const char *name) {
    Told told = {in, NULL, NULL, instance->own, instance->effect};
    Bar bar = {instance, 0, 0, 0};
    Call call;
    char said[2048] = "";
    const char *label = name;
    Outcome outcome = FAILED;
    Values *v = malloc(sizeof *v);
    Session *session = NULL;
    if (!v) return;
    if (!has_input(instance, &told.clip)) told.clip = NULL;
    for (size_t i = 0; i < COUNT(node_actions); i++)
        if (!strcmp(node_actions[i].name, name)) label = node_actions[i].label;
    progress_start(instance->effect, label);
    int read = read_values(instance->handles, get_double(in, P_TIME, 0, 0), v);
    choose_path(&told, v);
    if (!read) {
        snprintf(said, sizeof said, "the parameters are too long");
    } else if (!(session = session_take(&v->wanted))) {
        snprintf(said, sizeof said, "there is not enough memory");
    } else {
        give_up_others(instance, session);
        reach_again();
        call_begin(&call, session, (Stop){bar_stopped, &bar}, (Watch){tell_bar, &bar});
        outcome = !strcmp(name, "render") ? press_render(&call, &told, instance->handles, v, said, sizeof said) : press_other(instance, &call, name, label, said, sizeof said);
        if (outcome == STOPPED && !strcmp(name, "render") && call.analysing) session_give_up(session, call.asker);
        session_release(session);
    }
    progress_end(instance->effect);
    if (outcome == STOPPED && !*said) snprintf(said, sizeof said, "cancelled");
    set_text(instance->handles, "status", said);
    if (outcome == FAILED) say_once(instance->effect, MESSAGE_ERROR, said);
    free(v);
}

OfxStatus changed(Instance *instance, OfxProps in) {
    const char *name = get_string(in, P_NAME, "");
    if (strcmp(get_string(in, P_CHANGE_REASON, ""), CHANGE_USER)) return OFX_REPLY_DEFAULT;
    for (size_t i = 0; i < COUNT(node_actions); i++)
        if (!strcmp(node_actions[i].name, name)) {
            press(instance, in, node_actions[i].name);
            return OFX_OK;
        }
    /* what was wrong may be right now */
    say_nothing(instance);
    reach_again();
    mutex_lock(&instance->lock);
    instance->glance_after = 0;
    mutex_unlock(&instance->lock);
    return OFX_REPLY_DEFAULT;
}

#include "server.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "reach.h"

#define POLL_S 0.2
/* How often a busy server is asked again. */
#define PATIENCE 50
/* As long as a host is kept by a message to the server that nobody waits for. */
#define FAREWELL_S 1.0
/* What follows the clip in a request's path, edge controls with each sign as three among it. */
#define TAIL_ROOM (3 * EDGES_ROOM + 512)

static int stopped(Stop stop) { return stop.ask && stop.ask(stop.argument); }

static int lock_or_stop(Session *session, Stop stop) {
    while (!mutex_try(&session->lock)) {
        if (stopped(stop)) return 0;
        sleep_s(0.002);
    }
    return 1;
}

void call_begin(Call *call, Session *session, Stop stop, Watch watch) {
    memset(call, 0, sizeof *call);
    call->session = session;
    call->stop = stop;
    call->watch = watch;
    snprintf(call->asker, sizeof call->asker, "%016llx", unlikely_number());
}

void session_init(Session *session, const Wanted *wanted, const char *resources) {
    memset(session, 0, sizeof *session);
    session->wanted = *wanted;
    session->resources = resources;
    mutex_init(&session->lock);
}

void session_free(Session *session) { mutex_destroy(&session->lock); }

void session_forget(Session *session) {
    mutex_lock(&session->lock);
    session->open = 0;
    mutex_unlock(&session->lock);
}

/* Forgets it unless another thread has opened it anew meanwhile. */
static void forget_this(Session *session, const char *clip, const Where *where) {
    mutex_lock(&session->lock);
    if (!strcmp(session->clip, clip) && session->where.port == where->port) session->open = 0;
    mutex_unlock(&session->lock);
}

/* The detail of a problem document, or the status. */
static Outcome explain_status(Call *call, const Reply *reply, const Buffer *buffer) {
    if (!json_text(json_get(buffer->data, "detail"), call->error, sizeof call->error))
        snprintf(call->error, sizeof call->error, "the frame server answers with status %d", reply->status);
    return FAILED;
}

static int note_facts(Facts *facts, const char *text) {
    facts->frames = (int)json_number(json_get(text, "frames"), 0);
    facts->width = (int)json_number(json_item(json_get(text, "frame_size"), 0), 0);
    facts->height = (int)json_number(json_item(json_get(text, "frame_size"), 1), 0);
    facts->eye_width = (int)json_number(json_item(json_get(text, "eye_size"), 0), 0);
    facts->eye_height = (int)json_number(json_item(json_get(text, "eye_size"), 1), 0);
    facts->views = json_item(json_get(text, "views"), 1) ? 2 : 1;
    return facts->frames > 0 && facts->width > 0 && facts->height > 0 && facts->eye_width > 0 && facts->eye_height > 0;
}

/* Asks the server that was found to open the clip. */
static HttpResult post_clip(Call *call, Reply *reply, Buffer *buffer) {
    Session *session = call->session;
    char body[ROOM * 2 + LONG_ROOM];
    memcpy(body, "{\"path\":", 8);
    size_t used = json_append(body, 8, sizeof body, session->wanted.path);
    int n = used ? snprintf(body + used, sizeof body - used, ",\"settings\":%s}", session->wanted.settings) : -1;
    if (n < 0 || (size_t)n >= sizeof body - used) return HTTP_MEMORY;
    Where where = session->where;
    memcpy(where.asker, call->asker, sizeof where.asker);
    return http_request(&where, "POST", "/v1/clips", body, NULL, call->stop, reply, buffer);
}

static Outcome open_locked(Call *call) {
    Session *session = call->session;
    if (session->open) return DONE;
    Wanted wanted = session->wanted;
    if (!*wanted.path) return snprintf(call->error, sizeof call->error, "Clip is empty; name the video file or one image of the sequence"), FAILED;
    if (call->look_only) wanted.start = 0;
    Reply reply;
    Buffer buffer = {0};
    HttpResult result = HTTP_BROKEN;
    /* a server that dies under the question is looked for again, and started: once */
    for (int attempt = 0; attempt < 2 && (result == HTTP_ABSENT || result == HTTP_BROKEN); attempt++) {
        Outcome outcome = reach(&wanted, session->resources, &session->where, call->stop, call->error, sizeof call->error);
        if (outcome != DONE) return outcome;
        result = post_clip(call, &reply, &buffer);
    }
    Outcome outcome = FAILED;
    if (result == HTTP_STOPPED) outcome = STOPPED;
    else if (result != HTTP_DONE) http_explain(result, &session->where, call->error, sizeof call->error);
    else if (reply.status != 200) explain_status(call, &reply, &buffer);
    else if (!json_text(json_get(buffer.data, "clip"), session->clip, sizeof session->clip) || strlen(session->clip) != 16 ||
             !note_facts(&session->facts, buffer.data))
        snprintf(call->error, sizeof call->error, "what answers at %s:%d is not a frame server", session->where.host, session->where.port);
    else {
        char state[16] = "";
        outcome = DONE;
        session->open = 1;
        /* asking for it is waiting for it, from now on */
        call->analysing = json_text(json_get(buffer.data, "state"), state, sizeof state) && !strcmp(state, "analysing");
    }
    buffer_free(&buffer);
    return outcome;
}

Outcome session_open(Call *call, Facts *facts) {
    if (!lock_or_stop(call->session, call->stop)) return STOPPED;
    Outcome outcome = open_locked(call);
    *facts = call->session->facts;
    mutex_unlock(&call->session->lock);
    return outcome;
}

/* A request about the open clip; ``tail`` is what follows /v1/clips/CLIP, or /v1/ after a '!'. Opens the clip, and again once when the server is a
 * new one. */
static Outcome ask(Call *call, const char *method, const char *tail, const char *body, const char *etag, Reply *reply, Buffer *buffer) {
    Session *session = call->session;
    for (int attempt = 0;; attempt++) {
        char clip[32], path[TAIL_ROOM + 64];
        if (!lock_or_stop(session, call->stop)) return STOPPED;
        Outcome outcome = open_locked(call);
        Where where = session->where;
        memcpy(clip, session->clip, sizeof clip);
        mutex_unlock(&session->lock);
        if (outcome != DONE) return outcome;
        memcpy(where.asker, call->asker, sizeof where.asker);
        snprintf(path, sizeof path, "/v1/%s%s%s", *tail == '!' ? "" : "clips/", *tail == '!' ? "" : clip, *tail == '!' ? tail + 1 : tail);
        HttpResult result = http_request(&where, method, path, body, etag, call->stop, reply, buffer);
        if (result == HTTP_STOPPED) return STOPPED;
        int gone = result == HTTP_ABSENT || result == HTTP_BROKEN || result == HTTP_UNPROVED, closed = 0;
        if (result == HTTP_DONE && reply->status == 404 && *tail != '!') {
            /* of a clip that is not open, or of something in it? */
            char again[64];
            Reply facts;
            Buffer text = {0};
            snprintf(again, sizeof again, "/v1/clips/%s", clip);
            closed = http_request(&where, "GET", again, NULL, NULL, call->stop, &facts, &text) == HTTP_DONE && facts.status == 404;
            buffer_free(&text);
        }
        if ((gone || closed) && !attempt) {
            forget_this(session, clip, &where);
            continue;
        }
        if (result != HTTP_DONE) {
            if (gone) forget_this(session, clip, &where);
            return http_explain(result, &where, call->error, sizeof call->error), FAILED;
        }
        return DONE;
    }
}

/* How far the analysis is. DONE: it has ended. UNCHANGED: it goes on. */
static Outcome look_at_analysis(Call *call, Buffer *buffer) {
    Reply reply;
    char state[16] = "";
    Outcome outcome = ask(call, "GET", "", NULL, NULL, &reply, buffer);
    if (outcome != DONE) return outcome;
    if (reply.status != 200) return explain_status(call, &reply, buffer);
    json_text(json_get(buffer->data, "state"), state, sizeof state);
    call->analysing = !strcmp(state, "analysing");
    if (!strcmp(state, "ready")) return DONE;
    if (!strcmp(state, "failed")) {
        if (!json_text(json_get(buffer->data, "error"), call->error, sizeof call->error))
            snprintf(call->error, sizeof call->error, "the clip could not be analysed");
        return FAILED;
    }
    /* anything else would be waited for without end */
    if (!call->analysing) return snprintf(call->error, sizeof call->error, "the frame server's answer is not understood: state %s", state), FAILED;
    const char *progress = json_get(buffer->data, "progress");
    call->analysed = (int)json_number(json_item(progress, 0), 0);
    int total = (int)json_number(json_item(progress, 1), 0);
    if (call->watch.tell && !call->watch.tell(call->watch.argument, call->analysed, total, "finding the people")) return STOPPED;
    return pause_s(POLL_S, call->stop) ? UNCHANGED : STOPPED;
}

static Outcome wait_for_people(Call *call, Buffer *buffer) {
    Outcome outcome;
    while ((outcome = look_at_analysis(call, buffer)) == UNCHANGED) {
    }
    return outcome;
}

Outcome session_check(Call *call) {
    Reply reply;
    Buffer text = {0};
    char state[16] = "";
    Outcome outcome = ask(call, "GET", "", NULL, NULL, &reply, &text);
    if (outcome == DONE && reply.status != 200) outcome = explain_status(call, &reply, &text);
    if (outcome == DONE && json_text(json_get(text.data, "state"), state, sizeof state) && !strcmp(state, "failed")) {
        if (!json_text(json_get(text.data, "error"), call->error, sizeof call->error))
            snprintf(call->error, sizeof call->error, "the clip could not be analysed");
        outcome = FAILED;
    }
    buffer_free(&text);
    return outcome;
}

/* Percent-encoding (RFC 3986, 2.1) of as much as there is room for. */
static void encode(char *out, size_t size, const char *text) {
    size_t used = 0;
    for (const char *p = text; *p && used + 4 < size; p++) {
        int plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == '.' || *p == '_' || *p == '-';
        used += (size_t)snprintf(out + used, size - used, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
    out[used] = 0;
}

Outcome session_frame(Call *call, int n, const char *view, const char *layer, const char *edges, int draft, Plane *plane) {
    char tail[TAIL_ROOM], safe[256], done[3 * EDGES_ROOM + 4] = "";
    encode(safe, sizeof safe, layer);
    if (strcmp(edges, "{}")) encode(done, sizeof done, edges);
    snprintf(tail, sizeof tail, "/frames/%d?%s%s%slayer=%s&quality=%s&format=f16%s%s", n, *view ? "view=" : "", view, *view ? "&" : "", safe,
             draft ? "draft" : "final", *done ? "&edges=" : "", done);
    for (int tries = 0;; tries++) {
        Reply reply;
        Outcome outcome = ask(call, "GET", tail, NULL, plane->etag, &reply, &plane->data);
        if (outcome != DONE) return outcome;
        if (reply.status == 304) return UNCHANGED;
        if (reply.status == 200) {
            if (reply.width < 1 || reply.height < 1 || reply.width > 1 << 16 || reply.height > 1 << 16 ||
                plane->data.size != (size_t)reply.width * (size_t)reply.height * 2)
                return snprintf(call->error, sizeof call->error, "the frame server's answer is not a picture: %zu bytes for %dx%d", plane->data.size,
                                reply.width, reply.height), FAILED;
            plane->width = reply.width;
            plane->height = reply.height;
            plane->draft = !strcmp(reply.quality, "draft");
            memcpy(plane->etag, reply.etag, sizeof plane->etag);
            return DONE;
        }
        plane->etag[0] = 0;
        if (reply.status == 409) {
            /* being analysed, or the file was replaced */
            Buffer text = {0};
            explain_status(call, &reply, &plane->data);
            outcome = wait_for_people(call, &text);
            buffer_free(&text);
            if (outcome != DONE) return outcome;
            if (tries < 2) continue;
            session_forget(call->session);
        } else if (reply.status == 503 && tries < PATIENCE) {
            if (!pause_s(POLL_S, call->stop)) return STOPPED;
            continue;
        }
        return explain_status(call, &reply, &plane->data);
    }
}

Outcome session_analyse(Call *call, char *people, size_t size) {
    Buffer text = {0};
    Outcome outcome = wait_for_people(call, &text);
    if (outcome == DONE) {
        const char *list = json_get(text.data, "people"), *person;
        size_t used = 0;
        people[0] = 0;
        for (int i = 0; (person = json_item(list, i)) && used < size; i++) {
            char name[80] = "";
            json_text(json_get(person, "name"), name, sizeof name);
            int n = snprintf(people + used, size - used, "%s%d %s", i ? ", " : "", (int)json_number(json_get(person, "id"), 0), name);
            used += n > 0 ? (size_t)n : 0;
        }
        if (!*people) snprintf(people, size, "nobody");
    }
    buffer_free(&text);
    return outcome;
}

/* Follows a render to its end. */
static Outcome follow(Call *call, const char *tail, char *said, size_t size) {
    Reply reply;
    Buffer text = {0};
    char state[16] = "";
    int done = 0, total = 0;
    Outcome outcome = UNCHANGED;
    while (outcome == UNCHANGED) {
        outcome = ask(call, "GET", tail, NULL, NULL, &reply, &text);
        if (outcome == FAILED || (outcome == DONE && reply.status != 200)) {
            session_forget(call->session);
            snprintf(said, size, "the frame server went away after %d of %d frames; what was written is whole. Render again to go on", done, total);
            outcome = FAILED;
        }
        if (outcome != DONE) break;
        json_text(json_get(text.data, "state"), state, sizeof state);
        done = (int)json_number(json_get(text.data, "done"), 0);
        total = (int)json_number(json_get(text.data, "total"), 0);
        outcome = UNCHANGED;
        if (!strcmp(state, "done")) {
            snprintf(said, size, "%d frames are there", done);
            outcome = DONE;
        } else if (!strcmp(state, "failed")) {
            if (!json_text(json_get(text.data, "error"), said, size)) snprintf(said, size, "the render failed");
            outcome = FAILED;
        } else if (!strcmp(state, "cancelled")) {
            outcome = STOPPED;
        } else if (strcmp(state, "running") && strcmp(state, "waiting")) {
            snprintf(said, size, "the frame server's answer is not understood: state %s", state);
            outcome = FAILED;
        } else if ((call->watch.tell && !call->watch.tell(call->watch.argument, done, total, "rendering")) || !pause_s(POLL_S, call->stop)) {
            outcome = STOPPED;
        }
    }
    if (outcome == STOPPED) snprintf(said, size, "cancelled after %d of %d frames; what was written is whole", done, total);
    buffer_free(&text);
    return outcome;
}

static int late(void *end) { return clock_s() > *(double *)end; }

Outcome session_render(Call *call, const char *body, char *said, size_t size) {
    Reply reply;
    Buffer text = {0};
    char job[32] = "", tail[64];
    Outcome outcome = ask(call, "POST", "/renders", body, NULL, &reply, &text);
    if (outcome == DONE && reply.status != 202) outcome = explain_status(call, &reply, &text);
    if (outcome == DONE && !json_text(json_get(text.data, "job"), job, sizeof job))
        snprintf(call->error, sizeof call->error, "the frame server names no job"), outcome = FAILED;
    if (outcome == DONE) {
        snprintf(tail, sizeof tail, "!jobs/%s", job);
        outcome = follow(call, tail, said, size);
        if (outcome == STOPPED) {
            double end = clock_s() + FAREWELL_S;
            call->stop = (Stop){late, &end};
            ask(call, "DELETE", tail, NULL, NULL, &reply, &text);
        }
    } else {
        snprintf(said, size, "%s", call->error);
    }
    buffer_free(&text);
    return outcome;
}

Outcome session_delete(Call *call, const char *part) {
    Reply reply;
    Buffer text = {0};
    char tail[32];
    snprintf(tail, sizeof tail, "/%s", part);
    Outcome outcome = ask(call, "DELETE", tail, NULL, NULL, &reply, &text);
    if (outcome == DONE && reply.status >= 400) outcome = explain_status(call, &reply, &text);
    buffer_free(&text);
    return outcome;
}

void session_give_up(Session *session, const char *asker) {
    double end = clock_s() + FAREWELL_S;
    Stop stop = {late, &end};
    if (!lock_or_stop(session, stop)) return;
    int open = session->open;
    char path[64];
    Where where = session->where;
    snprintf(path, sizeof path, "/v1/clips/%s/claim", session->clip);
    mutex_unlock(&session->lock);
    if (!open) return;
    Reply reply;
    Buffer text = {0};
    snprintf(where.asker, sizeof where.asker, "%s", asker);
    http_request(&where, "DELETE", path, NULL, NULL, stop, &reply, &text);
    buffer_free(&text);
}

#include "server.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "reach.h"

#define POLL_S 0.2
/* How often a busy server is asked again. */
#define PATIENCE 50

static int stopped(Stop stop) { return stop.ask && stop.ask(stop.argument); }

static int lock_or_stop(Session *session, Stop stop) {
    while (!mutex_try(&session->lock)) {
        if (stopped(stop)) return 0;
        sleep_s(0.002);
    }
    return 1;
}

void session_init(Session *session) {
    memset(session, 0, sizeof *session);
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
static void explain_status(const Reply *reply, const Buffer *buffer, char *error, size_t size) {
    if (!json_text(json_get(buffer->data, "detail"), error, size)) snprintf(error, size, "the frame server answers with status %d", reply->status);
}

static void note_facts(Session *session, const char *facts) {
    session->frames = (int)json_number(json_get(facts, "frames"), 0);
    session->width = (int)json_number(json_item(json_get(facts, "frame_size"), 0), 0);
    session->height = (int)json_number(json_item(json_get(facts, "frame_size"), 1), 0);
    session->eye_width = (int)json_number(json_item(json_get(facts, "eye_size"), 0), 0);
    session->eye_height = (int)json_number(json_item(json_get(facts, "eye_size"), 1), 0);
    session->views = json_item(json_get(facts, "views"), 1) ? 2 : 1;
}

static Outcome open_locked(Session *session, const Wanted *wanted, const char *resources, Stop stop, char *error, size_t size) {
    if (session->open && !memcmp(&session->wanted, wanted, sizeof *wanted)) return DONE;
    session->open = 0;
    if (!*wanted->path) return snprintf(error, size, "Clip is empty; name the video file or one image of the sequence"), FAILED;
    Outcome outcome = reach(wanted, resources, &session->where, stop, error, size);
    if (outcome != DONE) return outcome;
    char body[ROOM * 2 + LONG_ROOM];
    memcpy(body, "{\"path\":", 8);
    size_t used = json_append(body, 8, sizeof body, wanted->path);
    int n = used ? snprintf(body + used, sizeof body - used, ",\"settings\":%s}", wanted->settings) : -1;
    if (n < 0 || (size_t)n >= sizeof body - used) return snprintf(error, size, "Clip is too long"), FAILED;
    Reply reply;
    Buffer buffer = {0};
    HttpResult result = http_request(&session->where, "POST", "/v1/clips", body, NULL, stop, &reply, &buffer);
    if (result == HTTP_STOPPED) outcome = STOPPED;
    else if (result != HTTP_DONE) http_explain(result, &session->where, error, size), outcome = FAILED;
    else if (reply.status != 200) explain_status(&reply, &buffer, error, size), outcome = FAILED;
    else if (!json_text(json_get(buffer.data, "clip"), session->clip, sizeof session->clip) || strlen(session->clip) != 16)
        snprintf(error, size, "what answers at %s:%d is not a frame server", session->where.host, session->where.port), outcome = FAILED;
    else {
        note_facts(session, buffer.data);
        session->wanted = *wanted;
        session->open = 1;
    }
    buffer_free(&buffer);
    return outcome;
}

Outcome session_open(Session *session, const Wanted *wanted, const char *resources, Stop stop, char *error, size_t size) {
    if (!lock_or_stop(session, stop)) return STOPPED;
    Outcome outcome = open_locked(session, wanted, resources, stop, error, size);
    mutex_unlock(&session->lock);
    return outcome;
}

/* A request about the open clip; ``tail`` is what follows /v1/clips/CLIP. Opens the clip, and again once when the server is a new one. */
static Outcome ask(Session *session, const Wanted *wanted, const char *resources, const char *method, const char *tail, const char *body,
                   const char *etag, Stop stop, Reply *reply, Buffer *buffer, char *error, size_t size) {
    for (int attempt = 0;; attempt++) {
        char clip[32], path[2048];
        if (!lock_or_stop(session, stop)) return STOPPED;
        Outcome outcome = open_locked(session, wanted, resources, stop, error, size);
        Where where = session->where;
        memcpy(clip, session->clip, sizeof clip);
        mutex_unlock(&session->lock);
        if (outcome != DONE) return outcome;
        snprintf(path, sizeof path, "/v1/%s%s%s", *tail == '!' ? "" : "clips/", *tail == '!' ? "" : clip, *tail == '!' ? tail + 1 : tail);
        HttpResult result = http_request(&where, method, path, body, etag, stop, reply, buffer);
        if (result == HTTP_STOPPED) return STOPPED;
        int gone = result == HTTP_ABSENT || result == HTTP_BROKEN, closed = 0;
        if (result == HTTP_DONE && reply->status == 404 && *tail != '!') {
            /* of a clip that is not open, or of something in it? */
            char again[64];
            Reply facts;
            Buffer text = {0};
            snprintf(again, sizeof again, "/v1/clips/%s", clip);
            closed = http_request(&where, "GET", again, NULL, NULL, stop, &facts, &text) == HTTP_DONE && facts.status == 404;
            buffer_free(&text);
        }
        if ((gone || closed) && !attempt) {
            forget_this(session, clip, &where);
            continue;
        }
        if (result != HTTP_DONE) {
            if (gone) forget_this(session, clip, &where);
            return http_explain(result, &where, error, size), FAILED;
        }
        return DONE;
    }
}

/* How far the analysis is. DONE: it has ended. UNCHANGED: it goes on. */
static Outcome look_at_analysis(Session *session, const Wanted *wanted, const char *resources, Stop stop, Watch watch, Buffer *buffer, char *error,
                                size_t size) {
    Reply reply;
    char state[16] = "", job[32] = "", tail[64];
    Outcome outcome = ask(session, wanted, resources, "GET", "", NULL, NULL, stop, &reply, buffer, error, size);
    if (outcome != DONE) return outcome;
    if (reply.status != 200) return explain_status(&reply, buffer, error, size), FAILED;
    json_text(json_get(buffer->data, "state"), state, sizeof state);
    if (!strcmp(state, "ready")) return DONE;
    if (!strcmp(state, "failed")) {
        if (!json_text(json_get(buffer->data, "error"), error, size)) snprintf(error, size, "the clip could not be analysed");
        return FAILED;
    }
    /* anything else would be waited for without end */
    if (strcmp(state, "analysing")) return snprintf(error, size, "the frame server's answer is not understood: state %s", state), FAILED;
    int done = 0, total = 0;
    if (json_text(json_get(buffer->data, "job"), job, sizeof job)) {
        snprintf(tail, sizeof tail, "!jobs/%s", job);
        outcome = ask(session, wanted, resources, "GET", tail, NULL, NULL, stop, &reply, buffer, error, size);
        if (outcome == STOPPED) return outcome;
        if (outcome == DONE && reply.status == 200) {
            done = (int)json_number(json_get(buffer->data, "done"), 0);
            total = (int)json_number(json_get(buffer->data, "total"), 0);
        }
    }
    if (watch.tell && !watch.tell(watch.argument, done, total, "finding the people")) return STOPPED;
    return pause_s(POLL_S, stop) ? UNCHANGED : STOPPED;
}

Outcome session_frame(Session *session, const Wanted *wanted, const char *resources, int n, const char *view, const char *layer, int draft,
                      Stop stop, Watch watch, Plane *plane, char *error, size_t size) {
    char tail[512], safe[256];
    size_t used = 0;
    for (const char *p = layer; *p && used + 4 < sizeof safe; p++) {
        int plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z') || *p == '.' || *p == '_' || *p == '-';
        used += (size_t)snprintf(safe + used, sizeof safe - used, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
    safe[used] = 0;
    snprintf(tail, sizeof tail, "/frames/%d?%s%s%slayer=%s&quality=%s&format=f16", n, *view ? "view=" : "", view, *view ? "&" : "", safe, draft ? "draft" : "final");
    for (int tries = 0;; tries++) {
        Reply reply;
        Outcome outcome = ask(session, wanted, resources, "GET", tail, NULL, plane->etag, stop, &reply, &plane->data, error, size);
        if (outcome != DONE) return outcome;
        if (reply.status == 304) return UNCHANGED;
        if (reply.status == 200) {
            if (reply.width < 1 || reply.height < 1 || reply.width > 1 << 16 || reply.height > 1 << 16 ||
                plane->data.size != (size_t)reply.width * (size_t)reply.height * 2)
                return snprintf(error, size, "the frame server's answer is not a picture: %zu bytes for %dx%d", plane->data.size, reply.width, reply.height), FAILED;
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
            explain_status(&reply, &plane->data, error, size);
            while ((outcome = look_at_analysis(session, wanted, resources, stop, watch, &text, error, size)) == UNCHANGED) {
            }
            buffer_free(&text);
            if (outcome != DONE) return outcome;
            if (tries < 2) continue;
            session_forget(session);
        } else if (reply.status == 503 && tries < PATIENCE) {
            if (!pause_s(POLL_S, stop)) return STOPPED;
            continue;
        }
        return explain_status(&reply, &plane->data, error, size), FAILED;
    }
}

Outcome session_analyse(Session *session, const Wanted *wanted, const char *resources, Stop stop, Watch watch, char *people, size_t people_size,
                        char *error, size_t size) {
    Buffer text = {0};
    Outcome outcome;
    while ((outcome = look_at_analysis(session, wanted, resources, stop, watch, &text, error, size)) == UNCHANGED) {
    }
    if (outcome == DONE) {
        const char *list = json_get(text.data, "people"), *person;
        size_t used = 0;
        people[0] = 0;
        for (int i = 0; (person = json_item(list, i)) && used < people_size; i++) {
            char name[80] = "";
            json_text(json_get(person, "name"), name, sizeof name);
            int n = snprintf(people + used, people_size - used, "%s%d %s", i ? ", " : "", (int)json_number(json_get(person, "id"), 0), name);
            used += n > 0 ? (size_t)n : 0;
        }
        if (!*people) snprintf(people, people_size, "nobody");
    }
    buffer_free(&text);
    return outcome;
}

Outcome session_render(Session *session, const Wanted *wanted, const char *resources, const char *body, Stop stop, Watch watch, char *said,
                       size_t size) {
    Reply reply;
    Buffer text = {0};
    char job[32] = "", tail[64], state[16] = "";
    int done = 0, total = 0;
    Outcome outcome = ask(session, wanted, resources, "POST", "/renders", body, NULL, stop, &reply, &text, said, size);
    if (outcome == DONE && reply.status != 202) explain_status(&reply, &text, said, size), outcome = FAILED;
    if (outcome == DONE && !json_text(json_get(text.data, "job"), job, sizeof job)) snprintf(said, size, "the frame server names no job"), outcome = FAILED;
    snprintf(tail, sizeof tail, "!jobs/%s", job);
    while (outcome == DONE) {
        outcome = ask(session, wanted, resources, "GET", tail, NULL, NULL, stop, &reply, &text, said, size);
        if (outcome == FAILED || (outcome == DONE && reply.status != 200)) {
            session_forget(session);
            snprintf(said, size, "the frame server went away after %d of %d frames; what was written is whole. Render again to go on", done, total);
            outcome = FAILED;
        }
        if (outcome != DONE) break;
        json_text(json_get(text.data, "state"), state, sizeof state);
        done = (int)json_number(json_get(text.data, "done"), 0);
        total = (int)json_number(json_get(text.data, "total"), 0);
        if (!strcmp(state, "done")) {
            snprintf(said, size, "%d frames are there", done);
            break;
        }
        if (!strcmp(state, "failed")) {
            if (!json_text(json_get(text.data, "error"), said, size)) snprintf(said, size, "the render failed");
            outcome = FAILED;
        } else if (!strcmp(state, "cancelled")) {
            outcome = STOPPED;
        } else if (strcmp(state, "running") && strcmp(state, "waiting")) {
            snprintf(said, size, "the frame server's answer is not understood: state %s", state);
            outcome = FAILED;
        } else if ((watch.tell && !watch.tell(watch.argument, done, total, "rendering")) || !pause_s(POLL_S, stop)) {
            Stop none = {0};
            ask(session, wanted, resources, "DELETE", tail, NULL, NULL, none, &reply, &text, said, size);
            outcome = STOPPED;
        }
    }
    if (outcome == STOPPED) snprintf(said, size, "cancelled after %d of %d frames; what was written is whole", done, total);
    buffer_free(&text);
    return outcome;
}

Outcome session_delete(Session *session, const Wanted *wanted, const char *resources, const char *part, Stop stop, char *error, size_t size) {
    Reply reply;
    Buffer text = {0};
    char tail[32];
    snprintf(tail, sizeof tail, "/%s", part);
    Outcome outcome = ask(session, wanted, resources, "DELETE", tail, NULL, NULL, stop, &reply, &text, error, size);
    if (outcome == DONE && reply.status >= 400) explain_status(&reply, &text, error, size), outcome = FAILED;
    buffer_free(&text);
    return outcome;
}

#include "reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define START_S 90.0
#define NOTE_LIMIT (1 << 16)

static int stopped(Stop stop) { return stop.ask && stop.ask(stop.argument); }

int pause_s(double seconds, Stop stop) {
    double end = clock_s() + seconds;
    while (clock_s() < end) {
        if (stopped(stop)) return 0;
        sleep_s(0.02);
    }
    return !stopped(stop);
}

static int split_address(const char *address, Where *where) {
    if (strncmp(address, "http://", 7)) return 0;
    const char *host = address + 7, *end = host + strcspn(host, "/");
    const char *colon = NULL, *stop = end;
    if (*host == '[') {
        host++;
        stop = memchr(host, ']', (size_t)(end - host));
        if (!stop) return 0;
        if (stop[1] == ':') colon = stop + 1;
    } else {
        for (const char *p = host; p < end; p++)
            if (*p == ':') colon = stop = p;
    }
    where->port = colon ? atoi(colon + 1) : 80;
    size_t n = (size_t)(stop - host);
    if (!n || n >= sizeof where->host || where->port < 1 || where->port > 65535) return 0;
    memcpy(where->host, host, n);
    where->host[n] = 0;
    return 1;
}

static int read_token(const char *path, Where *where) {
    char *text = read_text(path, sizeof where->token - 1);
    if (!text) return 0;
    size_t n = strcspn(text, " \r\n\t");
    memcpy(where->token, text, n);
    where->token[n] = 0;
    free(text);
    return n > 0;
}

/* Address and token, from what was asked for and from what the server of this user has announced. */
static int find_server(const Wanted *wanted, Where *where, char *error, size_t size) {
    char folder[ROOM], path[ROOM + 32], address[512] = "", token[ROOM] = "";
    if (!announce_folder(folder, sizeof folder)) return snprintf(error, size, "the user's cache folder cannot be told; set VR180_OFX_CACHE"), 0;
    snprintf(path, sizeof path, "%s/server.json", folder);
    char *note = read_text(path, NOTE_LIMIT);
    if (note) {
        json_text(json_get(note, "address"), address, sizeof address);
        json_text(json_get(note, "token_file"), token, sizeof token);
        free(note);
    }
    if (*wanted->address) snprintf(address, sizeof address, "%s", wanted->address);
    if (*wanted->token_file) snprintf(token, sizeof token, "%s", wanted->token_file);
    if (!*address) return snprintf(error, size, "no frame server is running; start one with: vr180-ofx serve"), 0;
    if (!split_address(address, where)) return snprintf(error, size, "Address is %s; it is like http://127.0.0.1:8000", address), 0;
    if (!read_token(token, where)) return snprintf(error, size, "the token file %s of %s cannot be read", *token ? token : "(none is named)", address), 0;
    return 1;
}

/* Whether a frame server of the right kind answers there. */
static Outcome check_server(const Where *where, Stop stop, char *error, size_t size) {
    Reply reply;
    Buffer buffer = {0};
    char name[32] = "";
    HttpResult result = http_request(where, "GET", "/v1/health", NULL, NULL, stop, &reply, &buffer);
    Outcome outcome = FAILED;
    if (result == HTTP_STOPPED) {
        outcome = STOPPED;
    } else if (result != HTTP_DONE) {
        http_explain(result, where, error, size);
    } else {
        json_text(json_get(buffer.data, "name"), name, sizeof name);
        if (reply.status != 200 || strcmp(name, "vr180-ofx") || json_number(json_get(buffer.data, "api"), 0) != 1)
            snprintf(error, size, "what answers at %s:%d is not a frame server that this plug-in can talk to", where->host, where->port);
        else
            outcome = DONE;
    }
    buffer_free(&buffer);
    return outcome;
}

/* Starts a server by what the installation has noted. */
static int start_server(const char *resources, char *error, size_t size) {
    char path[ROOM + 64], log[ROOM + 64], folder[ROOM], words[16][ROOM];
    const char *command[40];
    int count = 0;
    snprintf(path, sizeof path, "%s/bridge.json", resources);
    char *note = *resources ? read_text(path, NOTE_LIMIT) : NULL;
    const char *override = getenv("VR180_OFX_COMMAND");
    if (override && *override) {
        snprintf(words[0], ROOM, "%s", override);
        char *word = words[0];
        while (count < 8 && *word) {
            command[count++] = word;
            word += strcspn(word, " ");
            if (*word) *word++ = 0;
        }
    } else if (note) {
        const char *list = json_get(note, "command");
        while (count < 8 && json_text(json_item(list, count), words[count], ROOM)) {
            command[count] = words[count];
            count++;
        }
    }
    if (!count) {
        free(note);
        return snprintf(error, size, "no frame server is running, and how to start one is not noted in %s; run: vr180-ofx install ofx", path), 0;
    }
    command[count++] = "serve";
    command[count++] = "--idle-exit";
    command[count++] = "120";
    int roots = 0;
    const char *list = note ? json_get(note, "roots") : NULL;
    while (roots < 7 && json_text(json_item(list, roots), words[8 + roots], ROOM)) {
        command[count++] = "--root";
        command[count++] = words[8 + roots++];
    }
    if (!roots) {
        command[count++] = "--root";
#if defined(_WIN32)
        command[count++] = "C:\\";
#else
        command[count++] = "/";
#endif
    }
    int started = announce_folder(folder, sizeof folder);
    if (started) {
        snprintf(log, sizeof log, "%s/server.log", folder);
        make_folder(folder);
        started = start_program(command, count, log);
    }
    free(note);
    return started || (snprintf(error, size, "%s cannot be started", command[0]), 0);
}

Outcome reach(const Wanted *wanted, const char *resources, Where *where, Stop stop, char *error, size_t size) {
    Outcome outcome = FAILED;
    if (find_server(wanted, where, error, size)) outcome = check_server(where, stop, error, size);
    if (outcome != FAILED || *wanted->address || !wanted->start) return outcome;
    if (!start_server(resources, error, size)) return FAILED;
    double end = clock_s() + START_S;
    while (clock_s() < end) {
        if (!pause_s(0.1, stop)) return STOPPED;
        if (find_server(wanted, where, error, size) && (outcome = check_server(where, stop, error, size)) != FAILED) return outcome;
    }
    snprintf(error, size, "the frame server was started and did not answer within %d s; its log is beside server.json in the cache folder", (int)START_S);
    return FAILED;
}

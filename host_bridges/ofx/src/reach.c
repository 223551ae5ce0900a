#include "reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define START_S 90.0
/* How long a start that has failed is not tried again. */
#define AGAIN_S 60.0
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
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (strncmp(address, "http://", 7)) return 0;
    const char *host = address + 7;
    int bracket = *host == '[';
    if (bracket) host++;
    size_t n = strspn(host, bracket ? "0123456789abcdefABCDEF:." : letters);
    const char *rest = host + n;
    if (bracket && *rest++ != ']') return 0;
    where->port = 80;
    if (*rest == ':') {
        size_t digits = strspn(++rest, "0123456789");
        where->port = digits > 0 && digits < 6 ? atoi(rest) : 0;
        rest += digits;
    }
    if (*rest == '/') rest++;
    if (*rest || !n || n >= sizeof where->host || where->port < 1 || where->port > 65535) return 0;
    memcpy(where->host, host, n);
    where->host[n] = 0;
    /* the one name that means two addresses, of which somebody else may have the other */
    if (!strcmp(where->host, "localhost")) strcpy(where->host, "127.0.0.1");
    return 1;
}

/* One word of 16 to 500 characters: anything else must not get into headers. */
static int read_token(const char *path, Where *where) {
    char *text = read_text(path, sizeof where->token - 1);
    if (!text) return 0;
    size_t n = 0;
    while (text[n] > ' ' && text[n] < 127) n++;
    int whole = n >= 16 && n <= 500 && !text[n + strspn(text + n, " \r\n\t")];
    if (whole) memcpy(where->token, text, n);
    where->token[whole ? n : 0] = 0;
    free(text);
    return whole;
}

/* Address and token, from what was asked for and from what the server of this user has announced. */
static int find_server(const Wanted *wanted, Where *where, char *error, size_t size) {
    char folder[ROOM], path[ROOM + 32], address[512] = "", token[ROOM + 32] = "";
    if (!announce_folder(folder, sizeof folder)) return snprintf(error, size, "the user's cache folder cannot be told; set VR180_OFX_CACHE"), 0;
    snprintf(path, sizeof path, "%s/server.json", folder);
    char *note = read_text(path, NOTE_LIMIT);
    if (note && !is_own(path)) {
        free(note);
        return snprintf(error, size, "%s belongs to another user; set VR180_OFX_CACHE to a folder of your own", path), 0;
    }
    if (note) {
        json_text(json_get(note, "address"), address, sizeof address);
        json_text(json_get(note, "token_file"), token, sizeof token);
        free(note);
    }
    if (*wanted->address && strcmp(wanted->address, address)) {
        /* another server of this user has its token beside the announcement */
        snprintf(address, sizeof address, "%s", wanted->address);
        if (split_address(address, where)) {
            snprintf(path, sizeof path, "%s/token-%d", folder, where->port);
            char *other = read_text(path, sizeof where->token - 1);
            if (other) snprintf(token, sizeof token, "%s", path);
            free(other);
        }
    }
    if (*wanted->token_file) snprintf(token, sizeof token, "%s", wanted->token_file);
    if (!*address) return snprintf(error, size, "no frame server is running; start one with: vr180-ofx serve"), 0;
    if (!split_address(address, where)) return snprintf(error, size, "Address is %s; it is like http://127.0.0.1:8000, with a port from 1 to 65535", address), 0;
    if (!read_token(token, where)) return snprintf(error, size, "the token file %s of %s cannot be read, or holds no token", *token ? token : "(none is named)", address), 0;
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
    command[count++] = "30";
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
    return started || (snprintf(error, size, "%s cannot be started; run again: vr180-ofx install ofx", command[0]), 0);
}

/* A start that has failed, and when: a render of a thousand frames is not to wait for it a thousand times. */
static Mutex failure = MUTEX_INIT;
static double failed_s;
static char failed_why[512];

static void note_failure(double at, const char *why) {
    mutex_lock(&failure);
    failed_s = at;
    snprintf(failed_why, sizeof failed_why, "%s", why);
    mutex_unlock(&failure);
}

void reach_again(void) { note_failure(0, ""); }

static int failed_lately(char *error, size_t size) {
    mutex_lock(&failure);
    int lately = failed_s > 0 && clock_s() - failed_s < AGAIN_S;
    if (lately) snprintf(error, size, "%s", failed_why);
    mutex_unlock(&failure);
    return lately;
}

static Outcome start_and_wait(const Wanted *wanted, const char *resources, Where *where, Stop stop, char *error, size_t size) {
    if (failed_lately(error, size)) return FAILED;
    double patience = http_timeout_s() < START_S ? http_timeout_s() : START_S;
    if (start_server(resources, error, size)) {
        double end = clock_s() + patience;
        while (clock_s() < end) {
            if (!pause_s(0.1, stop)) return STOPPED;
            Outcome outcome = FAILED;
            if (find_server(wanted, where, error, size) && (outcome = check_server(where, stop, error, size)) != FAILED) return outcome;
        }
        snprintf(error, size, "the frame server was started and did not answer within %d s; its log is beside server.json in the cache folder", (int)patience);
    }
    note_failure(clock_s(), error);
    return FAILED;
}

Outcome reach(const Wanted *wanted, const char *resources, Where *where, Stop stop, char *error, size_t size) {
    Outcome outcome = FAILED;
    if (find_server(wanted, where, error, size)) outcome = check_server(where, stop, error, size);
    if (outcome != FAILED || *wanted->address || !wanted->start) return outcome;
    /* one at a time: instances of other clips want a server at the same moment */
    static Mutex starting = MUTEX_INIT;
    while (!mutex_try(&starting))
        if (!pause_s(0.05, stop)) return STOPPED;
    if (!find_server(wanted, where, error, size) || (outcome = check_server(where, stop, error, size)) == FAILED)
        outcome = start_and_wait(wanted, resources, where, stop, error, size);
    mutex_unlock(&starting);
    return outcome;
}

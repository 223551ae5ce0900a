#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "platform.h"
#include "proof.h"

#define HEAD_LIMIT (1 << 16)
#define BODY_LIMIT ((size_t)1 << 31)
#define SLICE_S 0.05
/* Who has not proved in this time that it is the server is given up, also when it sends a byte now and then. */
#define PROOF_S 15.0

typedef struct {
    Socket socket;
    Stop stop;
    double patience_s;
    double end_s; /* of the clock; 0: none */
} Wire;

double http_timeout_s(void) {
    const char *set = getenv("VR180_OFX_TIMEOUT_S");
    double value = set ? atof(set) : 0;
    return value > 0 ? value : 600;
}

void buffer_free(Buffer *buffer) {
    free(buffer->data);
    memset(buffer, 0, sizeof *buffer);
}

static int buffer_room(Buffer *buffer, size_t size) {
    if (size + 1 <= buffer->capacity) return 1;
    if (size > BODY_LIMIT) return 0;
    /* not realloc: what is in it is not needed, or little */
    size_t capacity = size + 1 < 2 * buffer->size ? 2 * buffer->size + 1 : size + 1;
    char *data = malloc(capacity);
    if (!data) return 0;
    if (buffer->size) memcpy(data, buffer->data, buffer->size);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return 1;
}

int buffer_append(Buffer *buffer, const char *data, size_t size) {
    if (!buffer_room(buffer, buffer->size + size)) return 0;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = 0;
    return 1;
}

/* Waits for the wire in slices, so that a host that has lost interest is not kept waiting. */
static HttpResult await(Wire *wire, int for_writing) {
    double begin = clock_s();
    for (;;) {
        if (wire->stop.ask && wire->stop.ask(wire->stop.argument)) return HTTP_STOPPED;
        int ready = socket_wait(wire->socket, for_writing, SLICE_S);
        if (ready > 0) return HTTP_DONE;
        if (ready < 0) return HTTP_BROKEN;
        if (clock_s() - begin > wire->patience_s || (wire->end_s > 0 && clock_s() > wire->end_s)) return HTTP_SLOW;
    }
}

static HttpResult send_all(Wire *wire, const char *data, size_t size) {
    while (size) {
        long n = socket_send(wire->socket, data, size);
        if (n < 0) return HTTP_BROKEN;
        if (n == 0) {
            HttpResult result = await(wire, 1);
            if (result != HTTP_DONE) return result;
        }
        data += n;
        size -= (size_t)n;
    }
    return HTTP_DONE;
}

/* Some bytes into ``at``; *got is 0 when the other side has ended. */
static HttpResult receive_some(Wire *wire, char *at, size_t size, size_t *got) {
    for (;;) {
        long n = socket_receive(wire->socket, at, size);
        if (n >= 0) return *got = (size_t)n, HTTP_DONE;
        if (n == -1) return HTTP_BROKEN;
        HttpResult result = await(wire, 0);
        if (result != HTTP_DONE) return result;
    }
}

/* The value of a header, without blanks around it; 0 when it is not there. ``head`` ends with a zero. */
static int header(const char *head, const char *name, char *out, size_t size) {
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        size_t i = 0;
        while (i < length && line[i] && (line[i] | 32) == name[i]) i++;
        if (i < length || line[length] != ':') continue;
        const char *value = line + length + 1;
        while (*value == ' ' || *value == '\t') value++;
        size_t n = strcspn(value, "\r\n");
        if (n >= size) return 0;
        memcpy(out, value, n);
        out[n] = 0;
        return 1;
    }
    return 0;
}

/* Looks at a chunked body, and takes its chunks apart in place when ``take`` is set and it is whole. Returns 1 when it is whole, 0 when more is to
 * come, -1 when these are no chunks. */
static int chunks(Buffer *buffer, int take) {
    size_t from = 0, to = 0;
    for (;;) {
        char *line = buffer->data + from, *end, *data = strstr(line, "\r\n");
        if (!data) return buffer->size - from > 32 ? -1 : 0;
        unsigned long size = strtoul(line, &end, 16);
        if (end == line || *line == '-' || size > BODY_LIMIT) return -1;
        from = (size_t)(data + 2 - buffer->data);
        if (!size) {
            /* after the last chunk there is an empty line, before it perhaps more headers */
            if (strncmp(data + 2, "\r\n", 2) && !strstr(data + 2, "\r\n\r\n")) return 0;
            if (take) buffer->size = to, buffer->data[to] = 0;
            return 1;
        }
        if (from + size + 2 > buffer->size) return 0;
        if (memcmp(buffer->data + from + size, "\r\n", 2)) return -1;
        if (take) memmove(buffer->data + to, buffer->data + from, size);
        to += size;
        from += size + 2;
    }
}

static HttpResult read_answer(Wire *wire, Reply *reply, Buffer *buffer) {
    static const char blank[] = "\r\n\r\n";
    char head[HEAD_LIMIT + 1], value[80];
    size_t used = 0, got = 0;
    char *end = NULL;
    while (!end) {
        if (used == HEAD_LIMIT) return HTTP_WRONG;
        HttpResult result = receive_some(wire, head + used, HEAD_LIMIT - used, &got);
        if (result != HTTP_DONE) return result;
        /* a server that dies may have begun to answer */
        if (!got) return memcmp(head, "HTTP/", used < 5 ? used : 5) ? HTTP_WRONG : HTTP_BROKEN;
        used += got;
        head[used] = 0;
        if (used >= 5 && memcmp(head, "HTTP/", 5)) return HTTP_WRONG;
        end = strstr(head, blank);
    }
    char *rest = end + 4;
    size_t left = used - (size_t)(rest - head);
    end[2] = 0;
    if (strncmp(head, "HTTP/1.", 7) || strlen(head) < 12) return HTTP_WRONG;
    reply->status = atoi(head + 9);
    if (reply->status < 100 || reply->status > 599) return HTTP_WRONG;
    if (header(head, "x-width", value, sizeof value)) reply->width = atoi(value);
    if (header(head, "x-height", value, sizeof value)) reply->height = atoi(value);
    header(head, "x-quality", reply->quality, sizeof reply->quality);
    header(head, "etag", reply->etag, sizeof reply->etag);
    int chunked = header(head, "transfer-encoding", value, sizeof value) && !strcmp(value, "chunked");
    int known = header(head, "content-length", value, sizeof value);
    unsigned long long length = known ? strtoull(value, NULL, 10) : 0;
    if (known && length > BODY_LIMIT) return HTTP_WRONG;
    int bodyless = reply->status == 204 || reply->status == 304;
    /* what is known is still right: nothing of it is touched */
    if (bodyless) return HTTP_DONE;
    buffer->size = 0;
    size_t wanted = known ? (size_t)length : left + 4096;
    if (!buffer_room(buffer, wanted < left ? left : wanted)) return HTTP_MEMORY;
    memcpy(buffer->data, rest, left);
    buffer->size = left;
    while (!known || buffer->size < length) {
        if (!known && buffer->size + 1 >= buffer->capacity && !buffer_room(buffer, buffer->size * 2 + 4096)) return HTTP_MEMORY;
        size_t room = known ? (size_t)length - buffer->size : buffer->capacity - buffer->size - 1;
        HttpResult result = receive_some(wire, buffer->data + buffer->size, room, &got);
        if (result != HTTP_DONE) return result;
        if (!got) {
            if (known) return HTTP_BROKEN;
            break;
        }
        buffer->size += got;
        buffer->data[buffer->size] = 0;
        if (chunked && buffer->size >= 5 && !memcmp(buffer->data + buffer->size - 5, "0\r\n\r\n", 5) && chunks(buffer, 0)) break;
    }
    if (known) buffer->size = (size_t)length;
    buffer->data[buffer->size] = 0;
    int whole = chunked ? chunks(buffer, 1) : 1;
    /* a server that dies leaves chunks out */
    return whole > 0 ? HTTP_DONE : whole ? HTTP_WRONG : HTTP_BROKEN;
}

/* Has the server prove that it knows the token, before it is sent over this connection. */
static HttpResult prove(Wire *wire, const Where *where, const char *authority) {
    char nonce[PROOF_ROOM], wanted[PROOF_ROOM], given[PROOF_ROOM] = "", request[1024];
    if (!make_nonce(nonce)) return HTTP_UNPROVED;
    int n = snprintf(request, sizeof request, "GET /v1/proof?nonce=%s HTTP/1.1\r\nHost: %s\r\n\r\n", nonce, authority);
    if (n < 0 || (size_t)n >= sizeof request) return HTTP_UNPROVED;
    Reply reply = {0};
    Buffer buffer = {0};
    wire->end_s = clock_s() + PROOF_S;
    HttpResult result = send_all(wire, request, (size_t)n);
    if (result == HTTP_DONE) result = read_answer(wire, &reply, &buffer);
    wire->end_s = 0;
    if (result == HTTP_DONE) {
        make_proof(where->token, nonce, where->host, where->port, wanted);
        if (reply.status == 200 && buffer.data) json_text(json_get(buffer.data, "proof"), given, sizeof given);
        if (!same_proof(given, wanted)) result = HTTP_UNPROVED;
    }
    buffer_free(&buffer);
    return result;
}

HttpResult http_request(const Where *where, const char *method, const char *path, const char *body, const char *etag, Stop stop, Reply *reply, Buffer *buffer) {
    memset(reply, 0, sizeof *reply);
    size_t length = body ? strlen(body) : 0, size = length + strlen(path) + 2048;
    char *request = malloc(size), known[128] = "", asker[64] = "";
    if (!request) return HTTP_MEMORY;
    if (etag && *etag) snprintf(known, sizeof known, "If-None-Match: %s\r\n", etag);
    if (*where->asker) snprintf(asker, sizeof asker, "X-Asker: %s\r\n", where->asker);
    int colon = strchr(where->host, ':') != NULL;
    char authority[sizeof where->host + 16];
    snprintf(authority, sizeof authority, "%s%s%s:%d", colon ? "[" : "", where->host, colon ? "]" : "", where->port);
    int n = snprintf(request, size,
                     "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n%s%s%s%s%zu\r\n\r\n%s",
                     method, path, authority, where->token, asker, known,
                     body ? "Content-Type: application/json\r\n" : "", "Content-Length: ", length, body ? body : "");
    HttpResult result = HTTP_ABSENT;
    Wire wire = {NO_SOCKET, stop, http_timeout_s(), 0};
    if (n > 0 && (size_t)n < size)
        wire.socket = socket_connect(where->host, where->port, wire.patience_s < 5 ? wire.patience_s : 5, stop.ask, stop.argument);
    if (wire.socket != NO_SOCKET) {
        result = prove(&wire, where, authority);
        if (result == HTTP_DONE) result = send_all(&wire, request, (size_t)n);
        if (result == HTTP_DONE) result = read_answer(&wire, reply, buffer);
        socket_close(wire.socket);
    } else if (stop.ask && stop.ask(stop.argument)) {
        result = HTTP_STOPPED;
    }
    free(request);
    return result;
}

void http_explain(HttpResult result, const Where *where, char *out, size_t size) {
    const char *format = "";
    switch (result) {
    case HTTP_ABSENT: format = "nobody answers at %s:%d; is the frame server running? Start it with: vr180-ofx serve"; break;
    case HTTP_BROKEN: format = "the frame server at %s:%d went away in the middle of an answer"; break;
    case HTTP_SLOW: format = "the frame server at %s:%d does not answer"; break;
    case HTTP_WRONG: format = "what answers at %s:%d is not a frame server"; break;
    case HTTP_UNPROVED:
        format = "what answers at %s:%d does not prove that it knows the token, which was not sent: it is an older server, which is to be ended and "
                 "started anew, or another program that has taken the port, or the token file is another server's";
        break;
    case HTTP_STOPPED: format = "given up"; break;
    case HTTP_MEMORY: format = "there is not enough memory for the answer of %s:%d"; break;
    case HTTP_DONE: break;
    }
    snprintf(out, size, format, where->host, where->port);
}

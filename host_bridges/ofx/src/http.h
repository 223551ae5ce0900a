/* One request of HTTP/1.1 over a connection of its own, with a way to stop in the middle. */
#ifndef VR180_HTTP_H
#define VR180_HTTP_H

#include <stddef.h>

typedef struct {
    char host[256];
    int port;
    char token[512];
    /* names the call that asks, so that the server knows when nobody wants an analysis any more; may be empty */
    char asker[20];
} Where;

/* Memory that is kept from request to request: frames are tens of megabytes, and fresh pages cost more than their bytes. */
typedef struct {
    char *data;
    size_t size, capacity;
} Buffer;

/* Whether to give up; asked at least ten times a second. */
typedef struct {
    int (*ask)(void *);
    void *argument;
} Stop;

typedef struct {
    int status;
    int width, height;
    char quality[16];
    char etag[80];
} Reply;

typedef enum { HTTP_DONE, HTTP_ABSENT, HTTP_BROKEN, HTTP_SLOW, HTTP_WRONG, HTTP_UNPROVED, HTTP_STOPPED, HTTP_MEMORY } HttpResult;

/* body: JSON or 0. etag: what is known, or 0. The answer's body lies in ``buffer``, with a zero after it;
 * an answer without one (304) leaves the buffer as it is. */
HttpResult http_request(const Where *where, const char *method, const char *path, const char *body, const char *etag, Stop stop, Reply *reply, Buffer *buffer);

/* What to tell people of a result other than HTTP_DONE. */
void http_explain(HttpResult result, const Where *where, char *out, size_t size);

double http_timeout_s(void);
void buffer_free(Buffer *buffer);
/* 0 when there is no memory. What is there stays a text that ends with 0. */
int buffer_append(Buffer *buffer, const char *data, size_t size);

#endif

/* A clip on a frame server that is found, started, and found again when it went away. */
#ifndef VR180_SERVER_H
#define VR180_SERVER_H

#include "http.h"
#include "platform.h"

#define ROOM 4096
#define LONG_ROOM 16384

/* What is wanted of the server. All of it decides which clip is meant. */
typedef struct {
    char path[ROOM], address[512], token_file[ROOM], settings[LONG_ROOM];
    int start;
} Wanted;

typedef struct {
    Mutex lock;
    int open;
    Wanted wanted;
    Where where;
    char clip[32];
    int frames, width, height, eye_width, eye_height, views;
} Session;

typedef struct {
    int width, height;
    int draft;
    char etag[80];
    Buffer data; /* halves, rows from the top */
} Plane;

typedef enum { DONE, UNCHANGED, FAILED, STOPPED } Outcome;

/* Called from time to time while something takes long: 0 to give up. */
typedef struct {
    int (*tell)(void *, int done, int total, const char *what);
    void *argument;
} Watch;

void session_init(Session *session);
void session_free(Session *session);
void session_forget(Session *session);

/* Opens the clip if it is not. The folder of the plug-in's resources says how to start a server. error: for people. */
Outcome session_open(Session *session, const Wanted *wanted, const char *resources, Stop stop, char *error, size_t size);

/* One layer of frame ``n`` (0-based). UNCHANGED: the bytes are those of plane->etag. Waits for the analysis. */
Outcome session_frame(Session *session, const Wanted *wanted, const char *resources, int n, const char *view, const char *layer, int draft,
                      Stop stop, Watch watch, Plane *plane, char *error, size_t size);

/* Waits until the people are found. people: their list for people. */
Outcome session_analyse(Session *session, const Wanted *wanted, const char *resources, Stop stop, Watch watch, char *people, size_t people_size,
                        char *error, size_t size);

/* Renders and follows it to its end. */
Outcome session_render(Session *session, const Wanted *wanted, const char *resources, const char *body, Stop stop, Watch watch, char *said,
                       size_t size);

/* DELETE of a part of the clip: "cache" or "people". */
Outcome session_delete(Session *session, const Wanted *wanted, const char *resources, const char *part, Stop stop, char *error, size_t size);

#endif

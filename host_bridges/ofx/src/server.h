/* A clip on a frame server that is found, started, and found again when it went away. */
#ifndef VR180_SERVER_H
#define VR180_SERVER_H

#include "http.h"
#include "platform.h"

#define ROOM 4096
#define LONG_ROOM 16384
/* More than the JSON of all edge controls takes: twelve numbers with their names. */
#define EDGES_ROOM 1024

/* What is wanted of the server. All of it decides which clip is meant. */
typedef struct {
    char path[ROOM], address[512], token_file[ROOM], settings[LONG_ROOM];
    int start;
} Wanted;

/* An open clip: frames, and pixels of the whole frame and of one eye. */
typedef struct {
    int frames, width, height, eye_width, eye_height, views;
} Facts;

/* What is wanted, and where it was found. Shared by all who want the same: see shared.h. */
typedef struct Session {
    Wanted wanted;
    /* the folder of the plug-in's resources, which say how to start a server */
    const char *resources;
    Mutex lock;
    int open;
    Where where;
    char clip[32];
    Facts facts;
    /* of who shares it */
    struct Session *next;
    int users;
    long age;
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

/* One call of the host, from its first question to the server to its last. error: for people, where the outcome is FAILED. */
typedef struct {
    Session *session;
    Stop stop;
    Watch watch;
    /* to ask what is there already, and start nothing */
    int look_only;
    /* while an analysis is waited for, and how far it was */
    int analysing, analysed;
    char asker[20];
    char error[1024];
} Call;

void call_begin(Call *call, Session *session, Stop stop, Watch watch);

void session_init(Session *session, const Wanted *wanted, const char *resources);
void session_free(Session *session);
void session_forget(Session *session);

/* Opens the clip if it is not. */
Outcome session_open(Call *call, Facts *facts);

/* Whether the clip is still there and can be analysed. */
Outcome session_check(Call *call);

/* One layer of frame ``n`` (0-based). edges: what is done to edges, as JSON, or "{}". UNCHANGED: the bytes are those of plane->etag. Waits for the
 * analysis. */
Outcome session_frame(Call *call, int n, const char *view, const char *layer, const char *edges, int draft, Plane *plane);

/* Waits until the people are found. people: their list for people. */
Outcome session_analyse(Call *call, char *people, size_t size);

/* Renders and follows it to its end. said: what came of it. */
Outcome session_render(Call *call, const char *body, char *said, size_t size);

/* DELETE of a part of the clip: "cache" or "people". */
Outcome session_delete(Call *call, const char *part);

/* Tells the server that a call which waited for an analysis does not any more. */
void session_give_up(Session *session, const char *asker);

#endif

#include "shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"

/* Pictures at once: more threads than this wait for each other. */
#define SLOTS 32
/* Pictures that are kept: hosts ask for a frame in tiles, for both eyes, and for neighbours. One of 8192x4096 has 64 MiB. */
#define KEPT 4
/* Clips and settings that are remembered though nobody has them at the moment. */
#define KEPT_SESSIONS 8

static Mutex lock = MUTEX_INIT;
static int instances;
static Slot slots[SLOTS];
static Session *sessions;
static long age;

static void drop_slot(Slot *slot) {
    buffer_free(&slot->plane.data);
    free(slot->wanted);
    memset(slot, 0, sizeof *slot);
}

/* Drops sessions that nobody has but the ``kept`` youngest. */
static void drop_sessions(int kept) {
    for (;;) {
        Session **oldest = NULL;
        int idle = 0;
        for (Session **s = &sessions; *s; s = &(*s)->next)
            if (!(*s)->users) {
                idle++;
                if (!oldest || (*s)->age < (*oldest)->age) oldest = s;
            }
        if (idle <= kept) return;
        Session *gone = *oldest;
        *oldest = gone->next;
        session_free(gone);
        free(gone);
    }
}

void shared_enter(void) {
    mutex_lock(&lock);
    instances++;
    mutex_unlock(&lock);
}

void shared_leave(void) {
    mutex_lock(&lock);
    if (!--instances) {
        for (int i = 0; i < SLOTS; i++) drop_slot(&slots[i]);
        drop_sessions(0);
    }
    mutex_unlock(&lock);
}

Session *session_take(const Wanted *wanted) {
    mutex_lock(&lock);
    Session *s = sessions;
    while (s && memcmp(&s->wanted, wanted, sizeof *wanted)) s = s->next;
    if (!s && (s = malloc(sizeof *s))) {
        session_init(s, wanted, resources);
        s->next = sessions;
        sessions = s;
    }
    if (s) {
        s->users++;
        s->age = ++age;
    }
    mutex_unlock(&lock);
    return s;
}

void session_release(Session *session) {
    mutex_lock(&lock);
    session->users--;
    drop_sessions(KEPT_SESSIONS);
    mutex_unlock(&lock);
}

static int holds(const Slot *s, const Named *named) {
    return s->used && s->n == named->n && s->draft == named->draft && !strcmp(s->view, named->view) && !strcmp(s->layer, named->layer) &&
           !strcmp(s->edges, named->edges) && !memcmp(s->wanted, named->wanted, sizeof *named->wanted);
}

/* The slot to be used next: a free one, but once enough are kept the one that was not looked at for longest, whose memory is there already. */
static Slot *free_slot(void) {
    Slot *oldest = NULL, *empty = NULL;
    int idle = 0;
    for (int i = 0; i < SLOTS; i++) {
        Slot *s = &slots[i];
        if (s->busy) continue;
        if (!s->used) {
            empty = s;
            continue;
        }
        idle++;
        if (!oldest || s->age < oldest->age) oldest = s;
    }
    return idle >= KEPT || !empty ? oldest : empty;
}

/* Keeps few of the pictures that nobody looks at. */
static void drop_old_slots(void) {
    for (;;) {
        Slot *oldest = NULL;
        int idle = 0;
        for (int i = 0; i < SLOTS; i++)
            if (slots[i].used && !slots[i].busy) {
                idle++;
                if (!oldest || slots[i].age < oldest->age) oldest = &slots[i];
            }
        if (idle <= KEPT) return;
        drop_slot(oldest);
    }
}

Slot *take_slot(const Named *named, Stop stop) {
    for (;;) {
        Slot *best = NULL;
        int waits = 0;
        mutex_lock(&lock);
        for (int i = 0; i < SLOTS && !waits && !best; i++)
            if (holds(&slots[i], named)) {
                waits = slots[i].busy;
                best = waits ? NULL : &slots[i];
            }
        if (!best && !waits && (best = free_slot())) {
            if (!best->wanted) best->wanted = malloc(sizeof *best->wanted);
            if (best->wanted) {
                best->used = 1;
                best->n = named->n;
                best->draft = named->draft;
                snprintf(best->view, sizeof best->view, "%s", named->view);
                snprintf(best->layer, sizeof best->layer, "%s", named->layer);
                snprintf(best->edges, sizeof best->edges, "%s", named->edges);
                *best->wanted = *named->wanted;
                best->plane.etag[0] = 0;
                best->plane.width = best->plane.height = 0;
            } else {
                best = NULL;
            }
        }
        if (best) {
            best->busy = 1;
            best->age = ++age;
        }
        mutex_unlock(&lock);
        if (best) return best;
        if (stop.ask && stop.ask(stop.argument)) return NULL;
        sleep_s(0.002);
    }
}

void leave_slot(Slot *slot, int usable) {
    mutex_lock(&lock);
    slot->busy = 0;
    if (!usable) drop_slot(slot);
    drop_old_slots();
    mutex_unlock(&lock);
}

void purge_slots(void) {
    mutex_lock(&lock);
    for (int i = 0; i < SLOTS; i++)
        if (!slots[i].busy) drop_slot(&slots[i]);
    mutex_unlock(&lock);
}

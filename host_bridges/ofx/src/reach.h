/* Finding the frame server of this user, and starting one. */
#ifndef VR180_REACH_H
#define VR180_REACH_H

#include "server.h"

/* Sleeps in slices; 0 when it was stopped. */
int pause_s(double seconds, Stop stop);

/* A server that answers: the one asked for, the one that is announced, or one that is started. */
Outcome reach(const Wanted *wanted, const char *resources, Where *where, Stop stop, char *error, size_t size);

/* Somebody has changed something: a start that has failed is tried again at once. */
void reach_again(void);

#endif

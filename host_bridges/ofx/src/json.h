/* Reading JSON that this program's server writes: looking up keys, nothing more. Input that is not JSON yields nothing, never a crash. */
#ifndef VR180_JSON_H
#define VR180_JSON_H

#include <stddef.h>

/* The value of ``key`` in the object at ``at``: a pointer into the text, or 0. */
const char *json_get(const char *at, const char *key);
/* Element ``index`` of the array at ``at``, or 0. */
const char *json_item(const char *at, int index);
/* Copies a string, its escapes resolved. Returns 0 when it is none or does not fit. */
int json_text(const char *at, char *out, size_t size);
/* A number; ``other`` when it is none. */
double json_number(const char *at, double other);
/* Appends a quoted string. Returns the new length, or 0 when there is no room. */
size_t json_append(char *out, size_t used, size_t size, const char *text);

#endif

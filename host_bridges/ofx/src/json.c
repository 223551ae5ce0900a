#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects and arrays inside each other; more is nobody's document. */
#define DEPTH 64

static const char *blanks(const char *p) {
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r') p++;
    return p;
}

/* behind a string; 0 when it does not end */
static const char *after_text(const char *p) {
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && !*++p) return NULL;
    return *p ? p + 1 : NULL;
}

/* behind any value; 0 when there is none */
static const char *after(const char *p, int depth) {
    p = blanks(p);
    if (*p == '"') return after_text(p);
    if (*p == '{' || *p == '[') {
        char open = *p, close = open == '{' ? '}' : ']';
        if (depth >= DEPTH) return NULL;
        p = blanks(p + 1);
        if (*p == close) return p + 1;
        for (;;) {
            if (open == '{') {
                if (*p != '"' || !(p = after_text(p))) return NULL;
                p = blanks(p);
                if (*p++ != ':') return NULL;
            }
            if (!(p = after(p, depth + 1))) return NULL;
            p = blanks(p);
            if (*p == close) return p + 1;
            if (*p++ != ',') return NULL;
            p = blanks(p);
        }
    }
    const char *begin = p;
    while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '-' || *p == '+' || *p == '.') p++;
    return p > begin ? p : NULL;
}

const char *json_get(const char *at, const char *key) {
    if (!at) return NULL;
    const char *p = blanks(at);
    if (*p != '{') return NULL;
    p = blanks(p + 1);
    size_t length = strlen(key);
    while (*p == '"') {
        const char *name = p + 1;
        if (!(p = after_text(p))) return NULL;
        int found = (size_t)(p - 1 - name) == length && !memcmp(name, key, length);
        p = blanks(p);
        if (*p++ != ':') return NULL;
        if (found) {
            p = blanks(p);
            return after(p, 0) ? p : NULL;
        }
        if (!(p = after(p, 0))) return NULL;
        p = blanks(p);
        if (*p++ != ',') return NULL;
        p = blanks(p);
    }
    return NULL;
}

const char *json_item(const char *at, int index) {
    if (!at) return NULL;
    const char *p = blanks(at);
    if (*p != '[') return NULL;
    p = blanks(p + 1);
    for (; *p && *p != ']'; index--) {
        const char *end = after(p, 0);
        if (!end) return NULL;
        if (!index) return p;
        p = blanks(end);
        if (*p++ != ',') return NULL;
        p = blanks(p);
    }
    return NULL;
}

static int hex4(const char *p, unsigned *out) {
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) : 16;
        if (digit > 15) return 0;
        *out = *out * 16 + digit;
    }
    return 1;
}

static size_t utf8(unsigned c, char *out) {
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xC0 | c >> 6), out[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000) return out[0] = (char)(0xE0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 63)), out[2] = (char)(0x80 | (c & 63)), 3;
    return out[0] = (char)(0xF0 | c >> 18), out[1] = (char)(0x80 | (c >> 12 & 63)), out[2] = (char)(0x80 | (c >> 6 & 63)), out[3] = (char)(0x80 | (c & 63)), 4;
}

int json_text(const char *at, char *out, size_t size) {
    if (!size) return 0;
    out[0] = 0;
    if (!at || *at != '"') return 0;
    size_t used = 0;
    for (const char *p = at + 1; *p && *p != '"'; p++) {
        char piece[4] = {*p};
        size_t n = 1;
        if (*p == '\\') {
            static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
            const char *known;
            unsigned c, low;
            if (!*++p) return 0;
            if (*p == 'u') {
                if (!hex4(p + 1, &c)) return 0;
                p += 4;
                if (c >= 0xD800 && c < 0xDC00 && p[1] == '\\' && p[2] == 'u' && hex4(p + 3, &low) && low >= 0xDC00 && low < 0xE000) {
                    c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                    p += 6;
                }
                n = utf8(c, piece);
            } else if ((known = strchr(from, *p))) {
                piece[0] = to[known - from];
            } else {
                return 0;
            }
        }
        if (used + n >= size) return out[0] = 0, 0;
        memcpy(out + used, piece, n);
        used += n;
    }
    out[used] = 0;
    return 1;
}

double json_number(const char *at, double other) {
    if (!at) return other;
    /* not strtod: hosts set locales whose decimal point is a comma */
    const char *p = at;
    double sign = 1, value = 0, unit = 1;
    if (*p == '-') sign = -1, p++;
    if (*p < '0' || *p > '9') return other;
    for (; *p >= '0' && *p <= '9'; p++) value = value * 10 + (*p - '0');
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++) value += (*p - '0') * (unit /= 10);
    if (*p == 'e' || *p == 'E') {
        int power = atoi(p + 1);
        value *= pow(10, power < -300 ? -300 : power > 300 ? 300 : power);
    }
    return sign * value;
}

size_t json_append(char *out, size_t used, size_t size, const char *text) {
    if (!used || used + 2 >= size) return 0;
    out[used++] = '"';
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char piece[8];
        int n = c == '"' || c == '\\' ? snprintf(piece, sizeof piece, "\\%c", c) : c < 32 ? snprintf(piece, sizeof piece, "\\u%04x", c) : snprintf(piece, sizeof piece, "%c", c);
        if (used + (size_t)n + 2 >= size) return 0;
        memcpy(out + used, piece, (size_t)n);
        used += (size_t)n;
    }
    out[used++] = '"';
    out[used] = 0;
    return used;
}

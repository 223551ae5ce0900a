#include "picture.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static float from_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023, bits;
    float value;
    if (exponent == 31) bits = sign | 0x7F800000u | fraction << 13;
    else if (exponent) bits = sign | (exponent + 112) << 23 | fraction << 13;
    else {
        value = (float)fraction * (1.0f / 16777216.0f);
        return sign ? -value : value;
    }
    memcpy(&value, &bits, 4);
    return value;
}

/* Round to nearest, ties to even, as IEEE 754 says. */
static uint16_t to_half(float value) {
    uint32_t bits, sign, fraction;
    memcpy(&bits, &value, 4);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7FFFFFFF;
    if (bits >= 0x7F800000) return (uint16_t)(sign | (bits > 0x7F800000 ? 0x7E00 : 0x7C00));
    if (bits >= 0x477FF000) return (uint16_t)(sign | 0x7C00);
    if (bits < 0x38800000) {
        if (bits < 0x33000000) return (uint16_t)sign;
        uint32_t shift = 126 - (bits >> 23);
        fraction = (bits & 0x7FFFFF) | 0x800000;
        uint32_t half = fraction >> shift, rest = fraction & ((1u << shift) - 1), middle = 1u << (shift - 1);
        return (uint16_t)(sign | (half + (rest > middle || (rest == middle && (half & 1)))));
    }
    bits += 0xFFF + (bits >> 13 & 1);
    return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}

static size_t sample_bytes(Depth depth) { return depth == DEPTH_32F ? 4 : depth == DEPTH_8 ? 1 : 2; }

static char *pixel(const Picture *picture, int x, int y) {
    return picture->data + (ptrdiff_t)(y - picture->bounds.y1) * picture->row_bytes +
           (ptrdiff_t)(x - picture->bounds.x1) * (ptrdiff_t)(sample_bytes(picture->depth) * (size_t)picture->channels);
}

static float load(const char *at, Depth depth) {
    float f;
    uint16_t s;
    switch (depth) {
    case DEPTH_32F: memcpy(&f, at, 4); return f;
    case DEPTH_16F: memcpy(&s, at, 2); return from_half(s);
    case DEPTH_16: memcpy(&s, at, 2); return (float)s * (1.0f / 65535.0f);
    default: return (float)(unsigned char)*at * (1.0f / 255.0f);
    }
}

static void store(char *at, Depth depth, float value) {
    uint16_t s;
    float clean = value < 0 ? 0 : value > 1 ? 1 : value;
    switch (depth) {
    case DEPTH_32F: memcpy(at, &value, 4); break;
    case DEPTH_16F: s = to_half(value), memcpy(at, &s, 2); break;
    case DEPTH_16: s = (uint16_t)(clean * 65535.0f + 0.5f), memcpy(at, &s, 2); break;
    default: *(unsigned char *)at = (unsigned char)(clean * 255.0f + 0.5f); break;
    }
}

/* Pixels of another kind: no colour is black, and no alpha is opaque. */
static void convert(const Picture *from, const char *in, const Picture *to, char *out, int count) {
    size_t sample = sample_bytes(to->depth), colour = 3 * sample;
    for (; count > 0; count--, in += (size_t)from->channels * sample, out += (size_t)to->channels * sample) {
        char *alpha = out + (size_t)(to->channels - 1) * sample;
        if (to->channels == 4 && from->channels == 1) memset(out, 0, colour);
        else if (to->channels == 4) memcpy(out, in, colour);
        if (from->channels == 3) store(alpha, to->depth, 1);
        else memcpy(alpha, in + (size_t)(from->channels - 1) * sample, sample);
    }
}

void picture_copy(const Job *job) {
    const Picture *from = &job->source, *to = &job->target;
    size_t bytes = sample_bytes(to->depth) * (size_t)to->channels;
    for (int y = job->window.y1; y < job->window.y2; y++) {
        char *out = pixel(to, job->window.x1, y);
        int x1 = job->window.x1, x2 = job->window.x2;
        int inside = from->data && y >= from->bounds.y1 && y < from->bounds.y2;
        int a = inside ? (from->bounds.x1 > x1 ? from->bounds.x1 : x1) : x2, b = inside ? (from->bounds.x2 < x2 ? from->bounds.x2 : x2) : x2;
        if (a >= b) {
            /* the host may hand out memory with anything in it */
            memset(out, 0, (size_t)(x2 - x1) * bytes);
            continue;
        }
        memset(out, 0, (size_t)(a - x1) * bytes);
        if (from->channels == to->channels) memcpy(out + (size_t)(a - x1) * bytes, pixel(from, a, y), (size_t)(b - a) * bytes);
        else convert(from, pixel(from, a, y), to, out + (size_t)(a - x1) * bytes, b - a);
        memset(out + (size_t)(b - x1) * bytes, 0, (size_t)(x2 - b) * bytes);
    }
}

void picture_spoil(const Job *job) {
    const Picture *to = &job->target;
    size_t sample = sample_bytes(to->depth);
    if (!to->data) return;
    for (int y = job->window.y1; y < job->window.y2; y++)
        for (int x = job->window.x1; x < job->window.x2; x++) {
            /* squares of magenta and black, and in alpha of a quarter and three quarters: no matte has such */
            int light = ((x >> 4) + (y >> 4)) & 1;
            char *out = pixel(to, x, y);
            for (int c = 0; c < to->channels; c++)
                store(out + (size_t)c * sample, to->depth, c == to->channels - 1 && to->channels != 3 ? (light ? 0.75f : 0.25f) : c == 1 ? 0 : (float)light);
        }
}

/* The mean of the plane over a rectangle of its pixels, which are areas; outside there is nobody. */
static float area(const Plane *plane, const float *floats, double x0, double y0, double x1, double y1) {
    const uint16_t *data = (const uint16_t *)(const void *)plane->data.data;
    double sum = 0;
    int i0 = (int)floor(x0), i1 = (int)ceil(x1), j0 = (int)floor(y0), j1 = (int)ceil(y1);
    if (i0 < 0) i0 = 0;
    if (j0 < 0) j0 = 0;
    if (i1 > plane->width) i1 = plane->width;
    if (j1 > plane->height) j1 = plane->height;
    for (int j = j0; j < j1; j++) {
        double h = (y1 < j + 1 ? y1 : j + 1) - (y0 > j ? y0 : j), row = 0;
        for (int i = i0; i < i1; i++) row += (double)floats[data[(size_t)j * (size_t)plane->width + (size_t)i]] * ((x1 < i + 1 ? x1 : i + 1) - (x0 > i ? x0 : i));
        sum += row * h;
    }
    return (float)(sum / ((x1 - x0) * (y1 - y0)));
}

/* Between the centres of pixels; at the border the last one goes on. */
static float between(const Plane *plane, const float *floats, double x, double y) {
    const uint16_t *data = (const uint16_t *)(const void *)plane->data.data;
    x = x - 0.5 < 0 ? 0 : x - 0.5 > plane->width - 1 ? plane->width - 1 : x - 0.5;
    y = y - 0.5 < 0 ? 0 : y - 0.5 > plane->height - 1 ? plane->height - 1 : y - 0.5;
    int i = (int)x, j = (int)y, i1 = i + 1 < plane->width ? i + 1 : i, j1 = j + 1 < plane->height ? j + 1 : j;
    double u = x - i, v = y - j;
    const uint16_t *upper = data + (size_t)j * (size_t)plane->width, *lower = data + (size_t)j1 * (size_t)plane->width;
    return (float)((floats[upper[i]] * (1 - u) + floats[upper[i1]] * u) * (1 - v) + (floats[lower[i]] * (1 - u) + floats[lower[i1]] * u) * v);
}

/* Every half as a float: 256 KB, made once for all threads before any of them runs. */
static float all_floats[65536];
void picture_begin(void) {
    for (unsigned i = 0; i < 65536; i++) all_floats[i] = from_half((uint16_t)i);
}

static float matte_at(const Job *job, double x0, double y0, double x1, double y1) {
    const Plane *plane = job->plane;
    if (x1 <= 0 || y1 <= 0 || x0 >= plane->width || y0 >= plane->height) return 0;
    return x1 - x0 > 1 || y1 - y0 > 1 ? area(plane, all_floats, x0, y0, x1, y1) : between(plane, all_floats, (x0 + x1) / 2, (y0 + y1) / 2);
}

/* A matte, forced to 0 or 1 as far as the second input covers it; outside of that picture it covers nothing. */
static float forced(const Job *job, int x, int y, float matte) {
    const Picture *mask = &job->mask;
    if (x < mask->bounds.x1 || x >= mask->bounds.x2 || y < mask->bounds.y1 || y >= mask->bounds.y2) return matte;
    float m = load(pixel(mask, x, y) + sample_bytes(mask->depth) * (size_t)(mask->channels - 1), mask->depth);
    /* not a number covers nothing */
    m = m > 0 ? m < 1 ? m : 1 : 0;
    return job->mask_keeps ? matte + (1 - matte) * m : matte * (1 - m);
}

void picture_matte(const Job *job, unsigned int part, unsigned int parts) {
    const Plane *plane = job->plane;
    const Picture *to = &job->target;
    size_t bytes = sample_bytes(to->depth) * (size_t)to->channels, alpha_at = sample_bytes(to->depth) * (size_t)(to->channels - 1);
    int rows = job->window.y2 - job->window.y1;
    int first = job->window.y1 + (int)((long long)rows * part / parts), last = job->window.y1 + (int)((long long)rows * (part + 1) / parts);
    double sx = plane ? plane->width / (job->frame.x2 - job->frame.x1) : 1, sy = plane ? plane->height / (job->frame.y2 - job->frame.y1) : 1;
    double left = job->frame.x1, top = job->frame.y2;
    int aligned = plane && fabs(sx - 1) < 1e-9 && fabs(sy - 1) < 1e-9 && left == floor(left) && top == floor(top);
    int shown = !job->source.data || job->source.channels == 1, plain = job->mix >= 1 && !job->invert && !job->mask.data && (!shown || to->channels == 1);
    for (int y = first; y < last; y++) {
        char *out = pixel(to, job->window.x1, y);
        double y0 = (top - y - 1) * sy, y1 = (top - y) * sy;
        int row = (int)(top - y - 1);
        const uint16_t *halves = aligned && row >= 0 && row < plane->height ? (const uint16_t *)(const void *)plane->data.data + (size_t)row * (size_t)plane->width : 0;
        int x = job->window.x1;
        if (halves && plain && to->depth == DEPTH_32F) {
            /* the way of almost all pixels: the matte as it is */
            int end = (int)left + plane->width < job->window.x2 ? (int)left + plane->width : job->window.x2;
            for (; x < end && x < (int)left; x++, out += bytes) store(out + alpha_at, DEPTH_32F, 0);
            const uint16_t *p = halves + (x - (int)left);
            float *f = (float *)(void *)(out + alpha_at);
            size_t step = (size_t)to->channels;
            for (int n = end - x; n > 0; n--, f += step) *f = all_floats[*p++];
            out += (size_t)(end > x ? end - x : 0) * bytes;
            x = end > x ? end : x;
        }
        for (; x < job->window.x2; x++, out += bytes) {
            float matte = 0;
            if (aligned) {
                int column = x - (int)left;
                if (halves && column >= 0 && column < plane->width) matte = all_floats[halves[column]];
            } else if (plane) {
                matte = matte_at(job, (x - left) * sx, y0, (x + 1 - left) * sx, y1);
            }
            if (job->mask.data) matte = forced(job, x, y, matte);
            if (job->invert) matte = 1 - matte;
            if (job->mix < 1) matte = matte * job->mix + load(out + alpha_at, to->depth) * (1 - job->mix);
            /* without colour the matte is the picture */
            if (shown)
                for (int c = 0; c < to->channels - 1; c++) store(out + (size_t)c * sample_bytes(to->depth), to->depth, matte);
            store(out + alpha_at, to->depth, matte);
        }
    }
}

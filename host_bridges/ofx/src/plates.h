/* The host's pictures: what is in them, which frame and which eye they show, and where the matte lies.
 * What cannot be told is an error: a matte of another frame or another eye is worse than none. */
#ifndef VR180_PLATES_H
#define VR180_PLATES_H

#include "instance.h"
#include "picture.h"

/* Properties in which a host may say something of the input; each may be 0. */
typedef struct {
    OfxProps in;     /* the action's arguments */
    OfxProps source; /* the input's picture */
    OfxProps clip;   /* the input */
    OfxProps own;    /* the instance */
    OfxEffect effect;
} Told;

/* The whole input, of which a picture may be a part. frame: where it lies, in pixels at the render scale. wide: how wide a pixel is shown.
 * there: 0 where there is no input. */
typedef struct {
    int there, thumbnail;
    double wide;
    OfxRectD frame;
} Plate;

/* Whether there is an input, and the properties that tell of it. */
int has_input(Instance *instance, OfxProps *clip);

OfxStatus read_picture(OfxProps image, Picture *out);

/* The pixel aspect ratio of an image or, without one, of a clip. */
double pixel_aspect(OfxProps image, OfxProps clip);

Plate read_plate(Instance *instance, const Told *told, double time, const Picture *source, const Picture *target);

/* The clip's path, where the parameter is empty. */
void choose_path(const Told *told, Values *v);

/* Which eye the plate shows: "left", "right", "both", or "" of a clip with one eye. Returns 0 and says why when it cannot be told. */
int choose_view(Instance *instance, const Told *told, const Values *v, const Facts *facts, const Plate *plate, char *view, size_t view_size, char *error,
                size_t size);

/* The number by which the host calls the clip's first frame. Returns 0 and says why when it cannot be told. */
int choose_first(const Told *told, const Values *v, const Facts *facts, int *first, char *error, size_t size);

/* Which frame of the clip is to be seen at this time; below 0 or beyond the last one there is none. */
int choose_frame(const Told *told, const Values *v, const Facts *facts, double time, int *n, char *error, size_t size);

/* Width and height of what a view shows, in pixels. */
void view_size(const Facts *facts, const char *view, int *width, int *height);

int same_shape(double width, double height, double other_width, double other_height);

#endif

#include "plates.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int has_input(Instance *instance, OfxProps *clip) {
    *clip = NULL;
    return instance->source && effects->clipGetPropertySet(instance->source, clip) == OFX_OK && get_int(*clip, P_CONNECTED, 0, 1);
}

static int depth_of(const char *name, Depth *out) {
    static const char *const names[] = {DEPTH_BYTE, DEPTH_SHORT, DEPTH_HALF, DEPTH_FLOAT};
    for (int i = 0; i < 4; i++)
        if (!strcmp(name, names[i])) return *out = (Depth)i, 1;
    return 0;
}

OfxStatus read_picture(OfxProps image, Picture *out) {
    void *data = NULL;
    props->getPointer(image, P_IMAGE_DATA, 0, &data);
    int *b = &out->bounds.x1;
    for (int i = 0; i < 4; i++) b[i] = get_int(image, P_IMAGE_BOUNDS, i, 0);
    out->row_bytes = get_int(image, P_IMAGE_ROW_BYTES, 0, 0);
    const char *components = get_string(image, P_COMPONENTS, "");
    out->channels = !strcmp(components, COMPONENT_RGBA) ? 4 : !strcmp(components, COMPONENT_RGB) ? 3 : !strcmp(components, COMPONENT_ALPHA) ? 1 : 0;
    if (!data || !out->channels || !depth_of(get_string(image, P_DEPTH, ""), &out->depth)) return OFX_ERR_FORMAT;
    out->data = data;
    return OFX_OK;
}

double pixel_aspect(OfxProps image, OfxProps clip) {
    double value = image ? get_double(image, P_PIXEL_ASPECT, 0, 0) : 0;
    if (!(value > 0) && clip) value = get_double(clip, P_PIXEL_ASPECT, 0, 0);
    return value > 0 ? value : 1;
}

static int empty(const OfxRectD *r) { return !(r->x2 > r->x1 && r->y2 > r->y1); }

/* With a pixel for rounding. */
static int contains(const OfxRectD *r, const OfxRectI *b) {
    return !empty(r) && r->x1 <= b->x1 + 1 && r->y1 <= b->y1 + 1 && r->x2 >= b->x2 - 1 && r->y2 >= b->y2 - 1;
}

/* Hosts tell it twice: the picture's region in pixels, and the clip's in canonical coordinates, which some of them forget to divide by the scale. Others
 * call a tile the whole. So the picture's counts, unless it is no more than the tile and the clip's is larger. */
Plate read_plate(Instance *instance, const Told *told, double time, const Picture *source, const Picture *target) {
    Plate plate = {told->clip != NULL, 0, 1, {0, 0, 0, 0}};
    double sx = get_double(told->in, P_RENDER_SCALE, 0, 1), sy = get_double(told->in, P_RENDER_SCALE, 1, 1), par = pixel_aspect(told->source, told->clip);
    const OfxRectI *bounds = source->data ? &source->bounds : &target->bounds;
    OfxRectD whole = {0, 0, 0, 0}, canonical = {0, 0, 0, 0};
    if (!plate.there) return plate;
    plate.wide = par;
    plate.thumbnail = get_int(told->clip, P_THUMBNAIL, 0, 0);
    if (effects->clipGetRegionOfDefinition(instance->source, time, &canonical) != OFX_OK) memset(&canonical, 0, sizeof canonical);
    canonical = (OfxRectD){canonical.x1 * sx / par, canonical.y1 * sy, canonical.x2 * sx / par, canonical.y2 * sy};
    if (told->source) {
        int r[4];
        for (int i = 0; i < 4; i++) r[i] = get_int(told->source, P_IMAGE_ROD, i, 0);
        whole = (OfxRectD){r[0], r[1], r[2], r[3]};
    }
    int tile = whole.x1 == bounds->x1 && whole.y1 == bounds->y1 && whole.x2 == bounds->x2 && whole.y2 == bounds->y2;
    plate.frame = empty(&whole) || (tile && contains(&canonical, bounds)) ? canonical : whole;
    if (empty(&plate.frame)) plate.frame = (OfxRectD){bounds->x1, bounds->y1, bounds->x2, bounds->y2};
    return plate;
}

void choose_path(const Told *told, Values *v) {
    const OfxProps sets[] = {told->own, told->clip, told->in, told->source};
    for (int i = 0; i < 4 && !*v->wanted.path; i++)
        if (sets[i]) snprintf(v->wanted.path, sizeof v->wanted.path, "%s", get_string(sets[i], P_SRC_FILE, ""));
}

/* eyes --------------------------------------------------------------------------------------------------------- */

typedef enum { EYE_UNTOLD, EYE_LEFT, EYE_RIGHT, EYE_FIRST } Eye; /* EYE_FIRST: the left one, or the only one */

/* Whole names, whatever their case: "Lens" and "Reference" are views, too. */
static Eye eye_named(const char *name) {
    static const char *const names[][2] = {{"left", "right"}, {"l", "r"}, {"left eye", "right eye"}, {"left_eye", "right_eye"}};
    char low[32];
    size_t n = strlen(name);
    if (n >= sizeof low) return EYE_UNTOLD;
    for (size_t i = 0; i <= n; i++) low[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int side = 0; side < 2; side++)
            if (!strcmp(low, names[i][side])) return side ? EYE_RIGHT : EYE_LEFT;
    return EYE_UNTOLD;
}

static Eye eye_of_host(Instance *instance, OfxProps in) {
    int number;
    if (get_number(in, P_EYE, &number)) return number == 1 ? EYE_RIGHT : number == 0 ? EYE_FIRST : EYE_UNTOLD;
    /* hosts pass a view where there is but one, and in any order: it is its name that tells */
    if (get_number(in, P_VIEW, &number)) return view_count(instance->effect) < 2 ? EYE_UNTOLD : eye_named(view_name(instance->effect, number));
    /* Natron has these too, but not in Vegas' order: there is a view then */
    if (get_number(in, P_VIEWS_TO_RENDER, &number) && number == 2 && get_number(in, P_RENDER_VIEW, &number) && (number == 0 || number == 1))
        return number ? EYE_RIGHT : EYE_LEFT;
    return EYE_UNTOLD;
}

int same_shape(double width, double height, double other_width, double other_height) {
    const double pixel = 1 + 1e-6;
    return fabs(width - height * other_width / other_height) <= pixel || fabs(height - width * other_height / other_width) <= pixel;
}

void view_size(const Facts *facts, const char *view, int *width, int *height) {
    int eye = !strcmp(view, "left") || !strcmp(view, "right");
    *width = eye ? facts->eye_width : facts->width;
    *height = eye ? facts->eye_height : facts->height;
}

int choose_view(Instance *instance, const Told *told, const Values *v, const Facts *facts, const Plate *plate, char *view, size_t room, char *error,
                size_t size) {
    static const char *const names[] = {"", "left", "right", "both"};
    Eye host = eye_of_host(instance, told->in), wanted = v->view == 1 ? EYE_LEFT : v->view == 2 ? EYE_RIGHT : EYE_UNTOLD;
    double w = plate->frame.x2 - plate->frame.x1, h = plate->frame.y2 - plate->frame.y1;
    /* as it is stored, or squeezed by the host, which shows its pixels wider */
    int whole = same_shape(w, h, facts->width, facts->height) || same_shape(w * plate->wide, h, facts->width, facts->height);
    int eye = same_shape(w, h, facts->eye_width, facts->eye_height) || same_shape(w * plate->wide, h, facts->eye_width, facts->eye_height);
    const char *chosen = NULL;
    view[0] = error[0] = 0;
    if (facts->views < 2) {
        if (plate->there && !whole)
            return snprintf(error, size, "the input is %.0fx%.0f pixels and the clip %dx%d: another shape, so the matte would not fit. Give the plate the clip's proportions",
                            w, h, facts->width, facts->height), 0;
        return 1;
    }
    if (!plate->there) {
        /* nothing to fit */
        Eye which = wanted ? wanted : v->view == 3 ? EYE_UNTOLD : host;
        if (which == EYE_FIRST) return snprintf(error, size, "the host does not say whether it shows the left eye or both: set Eye"), 0;
        chosen = which ? names[which] : "both";
    } else if (whole && eye && v->view) {
        chosen = names[v->view];
    } else if (whole == eye) {
        const char *why = whole ? "it may show either, set Eye" : "neither the shape of one eye nor of both, so the matte would not fit";
        return snprintf(error, size, "the input is %.0fx%.0f pixels, an eye of the clip %dx%d and both %dx%d: %s. Give the plate the clip's proportions, "
                        "for instance by a timeline or format of its size", w, h, facts->eye_width, facts->eye_height, facts->width, facts->height, why), 0;
    } else if (eye) {
        /* Resolve: what has the shape of an eye is not the only one */
        Eye which = wanted ? wanted : host == EYE_FIRST ? EYE_LEFT : host;
        if (v->view == 3) return snprintf(error, size, "Eye is both, but the input has the shape of one eye (%.0fx%.0f pixels): set Eye to left or right", w, h), 0;
        if (!which) return snprintf(error, size, "the input has the shape of one eye (%.0fx%.0f pixels), and the host does not say of which: set Eye to left or right", w, h), 0;
        chosen = names[which];
    } else if (wanted) {
        return snprintf(error, size, "Eye is %s, but the input has the shape of both eyes (%.0fx%.0f pixels): set Eye to both or auto", names[wanted], w, h), 0;
    } else if (host == EYE_RIGHT && !v->view && get_number(told->in, P_EYE, &(int){0})) {
        /* Resolve names an eye where there are two pictures: in one of both it would be the only one */
        return snprintf(error, size, "the host renders the right eye, but the input has the shape of both (%.0fx%.0f pixels): set Eye to both if it shows both", w, h), 0;
    } else {
        chosen = "both";
    }
    snprintf(view, room, "%s", chosen);
    return 1;
}

/* frames ------------------------------------------------------------------------------------------------------- */

int choose_first(const Told *told, const Values *v, const Facts *facts, int *first, char *error, size_t size) {
    double begin = 0, end = -1;
    *first = v->first_frame;
    /* what the artist has set counts, and so does what this plug-in itself has said of its length */
    if (v->first_frame != 1 || !v->find_frame || !told->clip) return 1;
    int ranged = props->getDouble(told->clip, P_FRAME_RANGE, 0, &begin) == OFX_OK && props->getDouble(told->clip, P_FRAME_RANGE, 1, &end) == OFX_OK;
    if (!ranged && !strcmp(host_name(), "MLT")) {
        /* it counts from 0, and tells the length alone: not on the instance's properties, but on its handle, which in MLT is a set of properties too */
        begin = 0;
        end = get_double((OfxProps)told->effect, P_DURATION, 0, 0) - 1;
        ranged = end >= 0;
    }
    double length = end - begin + 1;
    if (!ranged || !(fabs(begin) < 1e9))
        return snprintf(error, size, "the host does not say which frame of the input this is: set First frame to the number by which it calls the clip's first "
                        "frame, and switch Find frame off"), 0;
    /* some hosts name the frame behind the last one */
    if (fabs(length - facts->frames) > 1e-3 && fabs(length - 1 - facts->frames) > 1e-3)
        return snprintf(error, size, "the input has %.0f frames, from %.0f on, and the clip %d: which one is the clip's first? Set First frame to the number by "
                        "which the host calls it, and switch Find frame off", length, begin, facts->frames), 0;
    *first = (int)floor(begin + 0.5);
    return 1;
}

int choose_frame(const Told *told, const Values *v, const Facts *facts, double time, int *n, char *error, size_t size) {
    const OfxProps sets[] = {told->in, told->source, told->clip, told->own};
    int first = 0;
    if (v->first_frame == 1 && v->find_frame && told->clip)
        for (int i = 0; i < 4; i++)
            if (get_number(sets[i], P_SRC_FRAME, n)) return 1;
    if (!choose_first(told, v, facts, &first, error, size)) return 0;
    double at = floor(time + 0.5) - first;
    *n = fabs(at) < 1e9 ? (int)at : -1;
    return 1;
}

#include "plates.h"

#include <stdio.h>
#include <string.h>

int has_input(Instance *instance) {
    OfxProps clip;
    return instance->source && effects->clipGetPropertySet(instance->source, &clip) == OFX_OK && get_int(clip, P_CONNECTED, 0, 1);
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
    out->data = data;
    int *b = &out->bounds.x1;
    for (int i = 0; i < 4; i++) b[i] = get_int(image, P_IMAGE_BOUNDS, i, 0);
    out->row_bytes = get_int(image, P_IMAGE_ROW_BYTES, 0, 0);
    const char *components = get_string(image, P_COMPONENTS, "");
    out->channels = !strcmp(components, COMPONENT_RGBA) ? 4 : !strcmp(components, COMPONENT_ALPHA) ? 1 : 0;
    return data && out->channels && depth_of(get_string(image, P_DEPTH, ""), &out->depth) ? OFX_OK : OFX_ERR_FORMAT;
}

void choose_view(Instance *instance, OfxProps in, const Values *v, char *out, size_t size) {
    static const char *const fixed[] = {"", "left", "right", "both"};
    int number = get_int(in, P_VIEW, 0, -1);
    char *name = NULL;
    const char *view = v->view > 0 && v->view < 4 ? fixed[v->view] : "both";
    if (v->view == 0 && number >= 0) {
        int count = 1;
        if (views && views->getViewCount && views->getViewCount(instance->effect, &count) == OFX_OK && count < 2) number = -1;
        if (number >= 0 && views && views->getViewName) views->getViewName(instance->effect, number, &name);
        if (name && (*name == 'l' || *name == 'L')) view = "left";
        else if (name && (*name == 'r' || *name == 'R')) view = "right";
        else if (number >= 0) view = number == 1 ? "right" : "left";
    }
    snprintf(out, size, "%s", view);
}

OfxRectD frame_of(Instance *instance, double time, double sx, double sy, const Picture *target) {
    OfxRectD r = {target->bounds.x1, target->bounds.y1, target->bounds.x2, target->bounds.y2};
    OfxRectD canonical;
    OfxClip clip = instance->source ? instance->source : instance->output;
    if (effects->clipGetRegionOfDefinition(clip, time, &canonical) == OFX_OK && canonical.x2 > canonical.x1 && canonical.y2 > canonical.y1) {
        r.x1 = canonical.x1 * sx;
        r.x2 = canonical.x2 * sx;
        r.y1 = canonical.y1 * sy;
        r.y2 = canonical.y2 * sy;
    }
    return r;
}

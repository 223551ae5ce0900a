#include "render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "plates.h"

static int ask_abort(void *argument) { return effects->abort(((Instance *)argument)->effect); }

typedef struct {
    Instance *instance;
    double said;
} Waiting;

static int tell_render(void *argument, int done, int total, const char *what) {
    Waiting *waiting = argument;
    char text[160];
    if (clock_s() - waiting->said > 0.5) {
        waiting->said = clock_s();
        if (total) snprintf(text, sizeof text, "%s: %d of %d frames", what, done, total);
        else snprintf(text, sizeof text, "%s", what);
        say(waiting->instance, MESSAGE_MESSAGE, text);
    }
    return 1;
}

typedef struct {
    Instance *instance;
    const Values *values;
    int n, draft;
    const char *view;
    Slot *slot;
    Outcome outcome;
    char error[1024];
} Fetch;

static void fetch(void *argument) {
    Fetch *f = argument;
    Stop stop = {ask_abort, f->instance};
    Waiting waiting = {f->instance, clock_s()};
    Watch watch = {tell_render, &waiting};
    f->outcome = STOPPED;
    f->slot = take_slot(f->instance, f->values, f->n, f->view, f->draft, stop);
    if (f->slot)
        f->outcome = session_frame(&f->instance->session, &f->values->wanted, resources, f->n, f->view, f->values->layer, f->draft, stop, watch,
                                   &f->slot->plane, f->error, sizeof f->error);
}

static void copy(void *argument) { picture_copy(argument); }

static void matte_rows(unsigned int index, unsigned int count, void *argument) { picture_matte(argument, index, count); }

static OfxStatus make_picture(Instance *instance, OfxProps in, double time, const Values *v, Job *job) {
    Fetch f;
    char view[8];
    memset(&f, 0, sizeof f);
    choose_view(instance, in, v, view, sizeof view);
    f.instance = instance;
    f.values = v;
    f.n = (int)floor(time + 0.5) - v->first_frame;
    f.view = view;
    f.draft = v->quality == 2 || (v->quality == 0 && get_int(in, P_RENDER_DRAFT, 0, 0));
    f.outcome = DONE;
    int count = 0;
    if (f.n >= 0) {
        Stop stop = {ask_abort, instance};
        f.outcome = session_open(&instance->session, &v->wanted, resources, stop, f.error, sizeof f.error);
        mutex_lock(&instance->session.lock);
        count = instance->session.frames;
        if (instance->session.views < 2) snprintf(view, sizeof view, "%s", "");
        mutex_unlock(&instance->session.lock);
    }
    /* before and after the clip there is nobody */
    int there = f.n >= 0 && f.n < count;
    if (f.outcome == DONE && there) run_both(copy, job, fetch, &f);
    else picture_copy(job);
    if (f.outcome == DONE || f.outcome == UNCHANGED) {
        unsigned int cpus = 1;
        job->plane = f.slot ? &f.slot->plane : NULL;
        if (threads && threads->numCPUs && threads->numCPUs(&cpus) == OFX_OK && cpus > 1) threads->multiThread(matte_rows, cpus, job);
        else matte_rows(0, 1, job);
        say_nothing(instance);
        if (f.slot) leave_slot(instance, f.slot, 1);
        return OFX_OK;
    }
    if (f.slot) leave_slot(instance, f.slot, 0);
    if (f.outcome == STOPPED) return OFX_FAILED;
    say(instance, MESSAGE_ERROR, f.error);
    return OFX_FAILED;
}

OfxStatus render(Instance *instance, OfxProps in) {
    double time = get_double(in, P_TIME, 0, 0), sx = get_double(in, P_RENDER_SCALE, 0, 1), sy = get_double(in, P_RENDER_SCALE, 1, 1);
    Job job;
    OfxProps target = NULL, source = NULL;
    memset(&job, 0, sizeof job);
    int *w = &job.window.x1;
    for (int i = 0; i < 4; i++) w[i] = get_int(in, P_RENDER_WINDOW, i, 0);
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = OFX_OK;
    if (!read_values(instance->handles, time, v)) {
        say(instance, MESSAGE_ERROR, "the parameters are too long");
        status = OFX_FAILED;
    }
    if (status == OFX_OK) status = effects->clipGetImage(instance->output, time, NULL, &target);
    if (status == OFX_OK) status = read_picture(target, &job.target);
    if (status == OFX_OK && has_input(instance)) {
        /* an input that has nothing at this time is black, says the specification */
        if (effects->clipGetImage(instance->source, time, NULL, &source) == OFX_OK) status = read_picture(source, &job.source);
        if (status == OFX_OK && source && (job.source.channels != job.target.channels || job.source.depth != job.target.depth)) {
            say(instance, MESSAGE_ERROR, "the host gives an input of another kind than the output");
            status = OFX_ERR_FORMAT;
        }
    }
    if (status == OFX_OK) {
        OfxRectI b = job.target.bounds;
        if (job.window.x1 < b.x1) job.window.x1 = b.x1;
        if (job.window.y1 < b.y1) job.window.y1 = b.y1;
        if (job.window.x2 > b.x2) job.window.x2 = b.x2;
        if (job.window.y2 > b.y2) job.window.y2 = b.y2;
        job.frame = frame_of(instance, time, sx, sy, &job.target);
        job.invert = v->invert;
        job.mix = (float)v->mix;
        if (job.window.x1 < job.window.x2 && job.window.y1 < job.window.y2) status = make_picture(instance, in, time, v, &job);
    }
    if (source) effects->clipReleaseImage(source);
    if (target) effects->clipReleaseImage(target);
    free(v);
    return status;
}

OfxStatus identity(Instance *instance, OfxProps in, OfxProps out) {
    double time = get_double(in, P_TIME, 0, 0), mix = 1;
    OfxParam handle = handle_of(instance->handles, "mix");
    if (!handle || params->getValueAtTime(handle, time, &mix) != OFX_OK || mix > 0) return OFX_REPLY_DEFAULT;
    if (!has_input(instance)) return OFX_REPLY_DEFAULT;
    props->setString(out, P_NAME, 0, "Source");
    props->setDouble(out, P_TIME, 0, time);
    return OFX_OK;
}

OfxStatus without_input(Instance *instance, const char *action, OfxProps in, OfxProps out) {
    Stop none = {0};
    char error[1024];
    if (has_input(instance)) return OFX_REPLY_DEFAULT;
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = OFX_REPLY_DEFAULT;
    if (read_values(instance->handles, get_double(in, P_TIME, 0, 0), v) && *v->wanted.path &&
        session_open(&instance->session, &v->wanted, resources, none, error, sizeof error) == DONE) {
        char view[8];
        choose_view(instance, in, v, view, sizeof view);
        Session *s = &instance->session;
        mutex_lock(&s->lock);
        int both = !strcmp(view, "both") || s->views < 2;
        double values[4] = {0, 0, both ? s->width : s->eye_width, both ? s->height : s->eye_height};
        double range[2] = {v->first_frame, v->first_frame + s->frames - 1};
        mutex_unlock(&s->lock);
        if (!strcmp(action, ACTION_ROD)) props->setDoubleN(out, P_REGION_OF_DEFINITION, 4, values);
        else props->setDoubleN(out, P_FRAME_RANGE, 2, range);
        status = OFX_OK;
    }
    free(v);
    return status;
}

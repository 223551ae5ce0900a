#include "render.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plates.h"
#include "shared.h"

/* How long a question that hosts ask all the time may take, and how long it is not asked again when that was not enough. */
#define GLANCE_S 0.25
#define GLANCE_AGAIN_S 2.0

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

/* One picture to be fetched while the colour is copied. */
typedef struct {
    Call *call;
    const Values *values;
    int n, draft;
    const char *view;
    Slot *slot;
    Outcome outcome;
} Fetch;

static void fetch(void *argument) {
    Fetch *f = argument;
    f->outcome = STOPPED;
    const Values *v = f->values;
    const Named named = {&v->wanted, v->layer, v->edges, f->view, f->n, f->draft};
    f->slot = take_slot(&named, f->call->stop);
    if (f->slot) f->outcome = session_frame(f->call, f->n, f->view, v->layer, v->edges, f->draft, &f->slot->plane);
}

static void copy(void *argument) { picture_copy(argument); }

static void matte_rows(unsigned int index, unsigned int count, void *argument) { picture_matte(argument, index, count); }

static void put_matte(Job *job) {
    if (on_threads(matte_rows, job)) return;
    /* the host's threads may have done a part, and what is mixed twice is wrong */
    if (job->mix < 1) picture_copy(job);
    matte_rows(0, 1, job);
}

/* Where the matte lies, and which. */
static Outcome choose(Instance *instance, const Told *told, double time, const Values *v, Job *job, Fetch *f, const Facts *facts, char *view, size_t room) {
    Plate plate = read_plate(instance, told, time, &job->source, &job->target);
    Call *call = f->call;
    int width, height;
    if (!choose_view(instance, told, v, facts, &plate, view, room, call->error, sizeof call->error) ||
        !choose_frame(told, v, facts, time, &f->n, call->error, sizeof call->error))
        /* of a strip of small pictures, nobody wants to read a message for each */
        return plate.thumbnail ? STOPPED : FAILED;
    view_size(facts, view, &width, &height);
    job->frame = plate.frame;
    if (!plate.there) job->frame = (OfxRectD){0, 0, width * get_double(told->in, P_RENDER_SCALE, 0, 1), height * get_double(told->in, P_RENDER_SCALE, 1, 1)};
    f->draft = v->quality == 2 || (v->quality == 0 && get_int(told->in, P_RENDER_DRAFT, 0, 0));
    return DONE;
}

static OfxStatus make_picture(Instance *instance, const Told *told, double time, const Values *v, Job *job) {
    Facts facts;
    Call call;
    char view[8] = "";
    Session *session = session_take(&v->wanted);
    if (!session) return OFX_ERR_MEMORY;
    give_up_others(instance, session);
    Waiting waiting = {instance, clock_s()};
    call_begin(&call, session, (Stop){ask_abort, instance}, (Watch){tell_render, &waiting});
    Fetch f = {&call, v, 0, 0, view, NULL, DONE};
    f.outcome = session_open(&call, &facts);
    if (f.outcome == DONE) f.outcome = choose(instance, told, time, v, job, &f, &facts, view, sizeof view);
    if (f.outcome == DONE && f.n >= 0 && f.n < facts.frames) {
        run_both(copy, job, fetch, &f);
    } else if (f.outcome == DONE) {
        /* before and after the clip there is nobody, but is there a clip? */
        f.outcome = session_check(&call);
        if (f.outcome == DONE) picture_copy(job);
    }
    if (f.slot && (f.outcome == DONE || f.outcome == UNCHANGED)) {
        int width, height;
        view_size(&facts, view, &width, &height);
        if (!same_shape(f.slot->plane.width, f.slot->plane.height, width, height)) {
            snprintf(call.error, sizeof call.error, "the frame server's picture of %dx%d pixels has not the shape of the clip's, %dx%d", f.slot->plane.width,
                     f.slot->plane.height, width, height);
            f.outcome = FAILED;
        }
    }
    OfxStatus status = OFX_FAILED;
    if (f.outcome == DONE || f.outcome == UNCHANGED) {
        job->plane = f.slot ? &f.slot->plane : NULL;
        put_matte(job);
        say_nothing(instance);
        status = OFX_OK;
    }
    if (f.slot) leave_slot(f.slot, status == OFX_OK);
    if (f.outcome == FAILED) say(instance, MESSAGE_ERROR, call.error);
    if (f.outcome == STOPPED) leave_call(instance, &call);
    session_release(session);
    return status;
}

/* The second input, where there is one: what of it counts lies in its alpha. */
static OfxStatus look_at_mask(Instance *instance, double time, OfxProps *told, Job *job) {
    OfxProps set;
    int connected = 0;
    if (!instance->mask || effects->clipGetPropertySet(instance->mask, &set) != OFX_OK || props->getInt(set, P_CONNECTED, 0, &connected) != OFX_OK || !connected)
        return OFX_OK;
    /* one that has nothing at this time forces nothing */
    if (effects->clipGetImage(instance->mask, time, NULL, told) != OFX_OK) return *told = NULL, OFX_OK;
    OfxStatus status = read_picture(*told, &job->mask);
    if (status == OFX_OK && (job->mask.depth != job->target.depth || job->mask.channels == 3)) status = OFX_ERR_FORMAT;
    if (status != OFX_OK) say(instance, MESSAGE_ERROR, "the host gives a Mask of another kind than the output, or one without alpha");
    return status;
}

/* The host's pictures, looked at. */
static OfxStatus look(Instance *instance, double time, OfxProps target, Told *told, Job *job) {
    OfxStatus status = read_picture(target, &job->target);
    OfxRectI b = job->target.bounds;
    if (job->window.x1 < b.x1) job->window.x1 = b.x1;
    if (job->window.y1 < b.y1) job->window.y1 = b.y1;
    if (job->window.x2 > b.x2) job->window.x2 = b.x2;
    if (job->window.y2 > b.y2) job->window.y2 = b.y2;
    if (status != OFX_OK) return say(instance, MESSAGE_ERROR, "the host gives an output of a kind that this plug-in does not know"), status;
    if (job->target.channels == 3) return say(instance, MESSAGE_ERROR, "the host gives an output without alpha (RGB), and the matte is in the alpha"), OFX_ERR_FORMAT;
    if (!has_input(instance, &told->clip)) return told->clip = NULL, OFX_OK;
    /* an input that has nothing at this time is black, says the specification */
    if (effects->clipGetImage(instance->source, time, NULL, &told->source) != OFX_OK) return told->source = NULL, OFX_OK;
    status = read_picture(told->source, &job->source);
    if (status == OFX_OK && job->source.depth != job->target.depth) status = OFX_ERR_FORMAT;
    if (status != OFX_OK) say(instance, MESSAGE_ERROR, "the host gives an input of another kind than the output");
    return status;
}

OfxStatus render(Instance *instance, OfxProps in) {
    double time = get_double(in, P_TIME, 0, 0);
    Job job;
    Told told = {in, NULL, NULL, instance->own, instance->effect};
    OfxProps target = NULL, mask = NULL;
    memset(&job, 0, sizeof job);
    int *w = &job.window.x1;
    for (int i = 0; i < 4; i++) w[i] = get_int(in, P_RENDER_WINDOW, i, 0);
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = effects->clipGetImage(instance->output, time, NULL, &target);
    if (status == OFX_OK) status = look(instance, time, target, &told, &job);
    if (status == OFX_OK) status = look_at_mask(instance, time, &mask, &job);
    if (status == OFX_OK && !read_values(instance->handles, time, v)) {
        say(instance, MESSAGE_ERROR, "the parameters are too long");
        status = OFX_FAILED;
    }
    if (status == OFX_OK && job.window.x1 < job.window.x2 && job.window.y1 < job.window.y2) {
        choose_path(&told, v);
        job.invert = v->invert;
        job.mix = (float)v->mix;
        job.mask_keeps = v->mask_keeps;
        status = make_picture(instance, &told, time, v, &job);
    }
    if (status != OFX_OK) picture_spoil(&job);
    if (told.source) effects->clipReleaseImage(told.source);
    if (mask) effects->clipReleaseImage(mask);
    if (target) effects->clipReleaseImage(target);
    free(v);
    return status;
}

OfxStatus identity(Instance *instance, OfxProps in, OfxProps out) {
    double time = get_double(in, P_TIME, 0, 0), mix = 1;
    OfxProps clip;
    OfxParam handle = handle_of(instance->handles, "mix");
    if (!handle || params->getValueAtTime(handle, time, &mix) != OFX_OK || mix > 0) return OFX_REPLY_DEFAULT;
    if (!has_input(instance, &clip)) return OFX_REPLY_DEFAULT;
    props->setString(out, P_NAME, 0, "Source");
    props->setDouble(out, P_TIME, 0, time);
    return OFX_OK;
}

OfxStatus preferences(Instance *instance, OfxProps out) {
    OfxProps clip;
    props->setInt(out, P_FRAME_VARYING, 0, 1);
    props->setString(out, P_PREMULTIPLICATION, 0, UNPREMULTIPLIED);
    /* a plate without alpha gets one */
    if (has_input(instance, &clip) && !strcmp(get_string(clip, P_UNMAPPED_COMPONENTS, get_string(clip, P_COMPONENTS, "")), COMPONENT_RGB))
        props->setString(out, P_OUTPUT_COMPONENTS, 0, COMPONENT_RGBA);
    return OFX_OK;
}

static int glance_over(void *end) { return clock_s() > *(double *)end; }

/* The clip's facts if they are known, or told at once. */
static int glance(Instance *instance, const Wanted *wanted, Facts *facts) {
    double now = clock_s(), end = now + GLANCE_S;
    int found = 0;
    mutex_lock(&instance->lock);
    int soon = now < instance->glance_after;
    mutex_unlock(&instance->lock);
    Session *session = soon ? NULL : session_take(wanted);
    if (session) {
        Call call;
        call_begin(&call, session, (Stop){glance_over, &end}, (Watch){NULL, NULL});
        call.look_only = 1;
        found = session_open(&call, facts) == DONE;
        session_release(session);
    }
    if (!found && !soon) {
        mutex_lock(&instance->lock);
        instance->glance_after = clock_s() + GLANCE_AGAIN_S;
        mutex_unlock(&instance->lock);
    }
    return found;
}

OfxStatus without_input(Instance *instance, const char *action, OfxProps in, OfxProps out) {
    OfxProps clip;
    Facts facts;
    Told told = {in, NULL, NULL, instance->own, instance->effect};
    char view[8], error[1024];
    Plate none = {0, 0, 1, {0, 0, 0, 0}};
    if (has_input(instance, &clip)) return OFX_REPLY_DEFAULT;
    Values *v = malloc(sizeof *v);
    if (!v) return OFX_ERR_MEMORY;
    OfxStatus status = OFX_REPLY_DEFAULT;
    int read = read_values(instance->handles, get_double(in, P_TIME, 0, 0), v);
    choose_path(&told, v);
    if (read && *v->wanted.path && glance(instance, &v->wanted, &facts) &&
        choose_view(instance, &told, v, &facts, &none, view, sizeof view, error, sizeof error)) {
        int width, height;
        view_size(&facts, view, &width, &height);
        /* canonical coordinates: as wide as the host's pixels are */
        OfxProps output = NULL;
        if (effects->clipGetPropertySet(instance->output, &output) != OFX_OK) output = NULL;
        double values[4] = {0, 0, width * pixel_aspect(NULL, output), height}, range[2] = {v->first_frame, v->first_frame + facts.frames - 1};
        if (!strcmp(action, ACTION_ROD)) props->setDoubleN(out, P_REGION_OF_DEFINITION, 4, values);
        else props->setDoubleN(out, P_FRAME_RANGE, 2, range);
        status = OFX_OK;
    }
    free(v);
    return status;
}

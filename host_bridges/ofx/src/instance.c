#include "instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared.h"

Instance *instance_of(const void *handle) {
    OfxProps set;
    void *instance = NULL;
    if (!handle || effects->getPropertySet((OfxEffect)handle, &set) != OFX_OK) return NULL;
    props->getPointer(set, P_INSTANCE_DATA, 0, &instance);
    return instance;
}

void say(Instance *instance, const char *type, const char *text) {
    int lasting = say_persistently(instance->effect, type, text), dialog = !lasting && !strcmp(type, MESSAGE_ERROR);
    char begin[sizeof instance->told];
    snprintf(begin, sizeof begin, "%s", text);
    mutex_lock(&instance->lock);
    instance->has_message = 1;
    /* not one for each frame */
    dialog = dialog && strcmp(begin, instance->told);
    if (dialog) memcpy(instance->told, begin, sizeof begin);
    mutex_unlock(&instance->lock);
    if (dialog) say_once(instance->effect, type, text);
}

void say_nothing(Instance *instance) {
    mutex_lock(&instance->lock);
    int had = instance->has_message;
    instance->has_message = 0;
    instance->told[0] = 0;
    mutex_unlock(&instance->lock);
    if (had) say_nothing_persistently(instance->effect);
}

void raise_revision(Instance *instance) {
    int value = 0;
    if (!instance->revision || params->getValueAtTime(instance->revision, 0.0, &value) != OFX_OK) return;
    params->setValue(instance->revision, value < 1 << 30 ? value + 1 : 0);
}

OfxStatus instance_create(OfxEffect effect) {
    OfxProps set;
    OfxParamSet own;
    Instance *instance = calloc(1, sizeof *instance);
    if (!instance) return OFX_ERR_MEMORY;
    instance->effect = effect;
    if (effects->getPropertySet(effect, &set) != OFX_OK || effects->getParamSet(effect, &own) != OFX_OK ||
        effects->clipGetHandle(effect, "Output", &instance->output, NULL) != OFX_OK) {
        free(instance);
        return OFX_ERR_BAD_HANDLE;
    }
    instance->own = set;
    if (effects->clipGetHandle(effect, "Source", &instance->source, NULL) != OFX_OK) instance->source = NULL;
    if (effects->clipGetHandle(effect, "Mask", &instance->mask, NULL) != OFX_OK) instance->mask = NULL;
    find_handles(own, instance->handles);
    if (params->getHandle(own, PARAM_REVISION, &instance->revision, NULL) != OFX_OK) instance->revision = NULL;
    mutex_init(&instance->lock);
    shared_enter();
    return props->setPointer(set, P_INSTANCE_DATA, 0, instance);
}

OfxStatus instance_destroy(OfxEffect effect) {
    OfxProps set;
    Instance *instance = instance_of(effect);
    if (!instance) return OFX_OK;
    if (effects->getPropertySet(effect, &set) == OFX_OK) props->setPointer(set, P_INSTANCE_DATA, 0, NULL);
    give_up_others(instance, NULL);
    shared_leave();
    mutex_destroy(&instance->lock);
    free(instance);
    return OFX_OK;
}

void leave_call(Instance *instance, const Call *call) {
    if (!call->analysing) return;
    if (!call->analysed) {
        session_give_up(call->session, call->asker);
        return;
    }
    Session *kept = session_take(&call->session->wanted);
    if (!kept) return;
    mutex_lock(&instance->lock);
    Left oldest = instance->left[LEFT - 1];
    memmove(&instance->left[1], &instance->left[0], (LEFT - 1) * sizeof *instance->left);
    instance->left[0].session = kept;
    memcpy(instance->left[0].asker, call->asker, sizeof call->asker);
    mutex_unlock(&instance->lock);
    if (!oldest.session) return;
    session_give_up(oldest.session, oldest.asker);
    session_release(oldest.session);
}

void give_up_others(Instance *instance, const Session *now) {
    Left taken[LEFT];
    mutex_lock(&instance->lock);
    memcpy(taken, instance->left, sizeof taken);
    memset(instance->left, 0, sizeof instance->left);
    mutex_unlock(&instance->lock);
    for (int i = 0; i < LEFT; i++) {
        if (!taken[i].session) continue;
        /* of the same session: the new call has a claim of its own, and the old one lapses */
        if (taken[i].session != now) session_give_up(taken[i].session, taken[i].asker);
        session_release(taken[i].session);
    }
}

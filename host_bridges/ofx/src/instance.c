#include "instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Instance *instance_of(const void *handle) {
    OfxProps set;
    void *instance = NULL;
    if (!handle || effects->getPropertySet((OfxEffect)handle, &set) != OFX_OK) return NULL;
    props->getPointer(set, P_INSTANCE_DATA, 0, &instance);
    return instance;
}

void say(Instance *instance, const char *type, const char *text) {
    if (messages && messages->setPersistent) messages->setPersistent(instance->effect, type, "", "%s", text);
    instance->has_message = 1;
}

void say_nothing(Instance *instance) {
    if (instance->has_message && messages && messages->clearPersistent) messages->clearPersistent(instance->effect);
    instance->has_message = 0;
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
    if (effects->clipGetHandle(effect, "Source", &instance->source, NULL) != OFX_OK) instance->source = NULL;
    find_handles(own, instance->handles);
    session_init(&instance->session);
    mutex_init(&instance->lock);
    return props->setPointer(set, P_INSTANCE_DATA, 0, instance);
}

OfxStatus instance_destroy(OfxEffect effect) {
    OfxProps set;
    Instance *instance = instance_of(effect);
    if (!instance) return OFX_OK;
    if (effects->getPropertySet(effect, &set) == OFX_OK) props->setPointer(set, P_INSTANCE_DATA, 0, NULL);
    for (int i = 0; i < SLOTS; i++) {
        buffer_free(&instance->slots[i].plane.data);
        free(instance->slots[i].wanted);
    }
    session_free(&instance->session);
    mutex_destroy(&instance->lock);
    free(instance);
    return OFX_OK;
}

OfxStatus instance_purge(Instance *instance) {
    mutex_lock(&instance->lock);
    for (int i = 0; i < SLOTS; i++)
        if (!instance->slots[i].busy) {
            buffer_free(&instance->slots[i].plane.data);
            instance->slots[i].used = 0;
        }
    mutex_unlock(&instance->lock);
    return OFX_OK;
}

/* pictures that were fetched ------------------------------------------------------------------------------------ */

Slot *take_slot(Instance *instance, const Values *v, int n, const char *view, int draft, Stop stop) {
    for (;;) {
        Slot *best = NULL;
        mutex_lock(&instance->lock);
        for (int i = 0; i < SLOTS; i++) {
            Slot *s = &instance->slots[i];
            if (s->used && s->n == n && s->draft == draft && !strcmp(s->view, view) && !strcmp(s->layer, v->layer) && !memcmp(s->wanted, &v->wanted, sizeof v->wanted)) {
                best = s->busy ? NULL : s;
                goto chosen;
            }
        }
        for (int i = 0; i < SLOTS; i++) {
            Slot *s = &instance->slots[i];
            if (!s->busy && (!best || (!s->used && best->used) || (s->used == best->used && s->age < best->age))) best = s;
        }
        if (best) {
            if (!best->wanted) best->wanted = malloc(sizeof *best->wanted);
            if (!best->wanted) {
                best = NULL;
            } else {
                best->used = 1;
                best->n = n;
                best->draft = draft;
                snprintf(best->view, sizeof best->view, "%s", view);
                snprintf(best->layer, sizeof best->layer, "%s", v->layer);
                *best->wanted = v->wanted;
                best->plane.etag[0] = 0;
                best->plane.width = best->plane.height = 0;
            }
        }
    chosen:
        if (best) {
            best->busy = 1;
            best->age = ++instance->age;
        }
        mutex_unlock(&instance->lock);
        if (best) return best;
        if (stop.ask && stop.ask(stop.argument)) return NULL;
        sleep_s(0.002);
    }
}

void leave_slot(Instance *instance, Slot *slot, int usable) {
    mutex_lock(&instance->lock);
    slot->busy = 0;
    if (!usable) slot->used = 0;
    mutex_unlock(&instance->lock);
}

#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "parameters.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PARAMETERS COUNT(node_parameters)

char resources[ROOM];

/* bundle: what the host says; not all do. Then this library lies in BUNDLE/Contents/SYSTEM/. */
static void find_resources(const char *bundle) {
    static Mutex lock = MUTEX_INIT;
    char own[ROOM] = "", found[ROOM];
    if (!*bundle && own_path(own, sizeof own)) {
        for (int i = 0; i < 3; i++) {
            char *slash = strrchr(own, '/'), *other = strrchr(own, '\\');
            if (other > slash) slash = other;
            if (slash) *slash = 0;
        }
        bundle = own;
    }
    if (snprintf(found, sizeof found, "%s/Contents/Resources", bundle) >= (int)sizeof found) return;
    /* hosts describe a plug-in again while its instances render: nothing is written then */
    mutex_lock(&lock);
    if (strcmp(found, resources)) memcpy(resources, found, sizeof resources);
    mutex_unlock(&lock);
}

OfxStatus describe(OfxEffect effect) {
    OfxProps set;
    if (effects->getPropertySet(effect, &set) != OFX_OK) return OFX_ERR_BAD_HANDLE;
    props->setString(set, P_LABEL, 0, NODE_LABEL);
    props->setString(set, P_SHORT_LABEL, 0, NODE_LABEL);
    props->setString(set, P_LONG_LABEL, 0, NODE_LABEL);
    props->setString(set, P_GROUPING, 0, "VR180");
    props->setString(set, P_DESCRIPTION, 0, NODE_HELP);
    props->setString(set, P_CONTEXTS, 0, CONTEXT_FILTER);
    props->setString(set, P_CONTEXTS, 1, CONTEXT_GENERAL);
    static const char *const depths[] = {DEPTH_FLOAT, DEPTH_HALF, DEPTH_SHORT, DEPTH_BYTE};
    for (int i = 0; i < 4; i++) props->setString(set, P_DEPTHS, i, depths[i]);
    props->setString(set, P_SAFETY, 0, FULLY_SAFE);
    props->setInt(set, P_HOST_THREADING, 0, 0);
    props->setInt(set, P_SINGLE_INSTANCE, 0, 0);
    props->setInt(set, P_MULTI_RESOLUTION, 0, 1);
    props->setInt(set, P_TILES, 0, 1);
    props->setInt(set, P_TEMPORAL, 0, 0);
    props->setInt(set, P_MULTI_DEPTH, 0, 0);
    props->setInt(set, P_MULTI_PAR, 0, 0);
    /* known to hosts with views alone */
    props->setInt(set, P_VIEW_AWARE, 0, 1);
    find_resources(get_string(set, P_FILE_PATH, ""));
    return OFX_OK;
}

static const char *type_of(Kind kind) {
    switch (kind) {
    case K_BOOL: return PARAM_BOOL;
    case K_INT: return PARAM_INT;
    case K_FLOAT: return PARAM_DOUBLE;
    case K_CHOICE: return PARAM_CHOICE;
    default: return PARAM_STRING;
    }
}

static void describe_parameter(OfxParamSet set, const Parameter *p) {
    OfxProps at;
    if (params->define(set, type_of(p->kind), p->name, &at) != OFX_OK) return;
    props->setString(at, P_LABEL, 0, p->label);
    props->setString(at, P_HINT, 0, p->help);
    props->setString(at, P_PARENT, 0, p->group);
    props->setInt(at, P_ANIMATES, 0, p->animatable);
    switch (p->kind) {
    case K_BOOL: props->setInt(at, P_DEFAULT, 0, (int)p->number); break;
    case K_INT:
        props->setInt(at, P_DEFAULT, 0, (int)p->number);
        props->setInt(at, P_MIN, 0, (int)p->minimum);
        props->setInt(at, P_MAX, 0, (int)p->maximum);
        props->setInt(at, P_DISPLAY_MIN, 0, (int)(p->minimum < 0 ? 0 : p->minimum));
        props->setInt(at, P_DISPLAY_MAX, 0, (int)(p->maximum > 10000 ? 10000 : p->maximum));
        break;
    case K_FLOAT:
        props->setDouble(at, P_DEFAULT, 0, p->number);
        props->setDouble(at, P_MIN, 0, p->minimum);
        props->setDouble(at, P_MAX, 0, p->maximum);
        props->setDouble(at, P_DISPLAY_MIN, 0, p->minimum);
        props->setDouble(at, P_DISPLAY_MAX, 0, p->maximum);
        break;
    case K_CHOICE:
        for (int i = 0; p->choices[i]; i++) props->setString(at, P_CHOICE_OPTION, i, p->choices[i]);
        props->setInt(at, P_DEFAULT, 0, (int)p->number);
        break;
    default:
        props->setString(at, P_STRING_MODE, 0, p->kind == K_FILE ? STRING_FILE : p->kind == K_FOLDER ? STRING_FOLDER : p->kind == K_MESSAGE ? STRING_LABEL : STRING_SINGLE);
        /* in Nuke, texts are expressions: this one is the input's file */
        props->setString(at, P_DEFAULT, 0, !strcmp(p->name, "clip") && !strncmp(host_name(), "uk.co.thefoundry.nuke", 21) ? "[metadata input/filename]" : p->text);
        /* a clip lies where the server sees it, which need not be here */
        if (p->kind == K_FILE || p->kind == K_FOLDER) props->setInt(at, P_PATH_EXISTS, 0, 0);
        if (p->kind == K_MESSAGE) {
            props->setInt(at, P_PERSISTENT, 0, 0);
            props->setInt(at, P_EVALUATE, 0, !strcmp(p->name, "people_list"));
        }
    }
    if (!strcmp(p->group, "output") || !strcmp(p->name, "start_server")) props->setInt(at, P_EVALUATE, 0, 0);
}

OfxStatus describe_in_context(OfxEffect effect, OfxProps in) {
    OfxProps clip;
    OfxParamSet set;
    int general = !strcmp(get_string(in, P_CONTEXT, ""), CONTEXT_GENERAL);
    const char *const names[] = {"Source", "Output"};
    for (int i = 0; i < 2; i++) {
        OfxStatus status = effects->clipDefine(effect, names[i], &clip);
        if (status != OFX_OK) return status;
        props->setString(clip, P_SUPPORTED_COMPONENTS, 0, COMPONENT_RGBA);
        props->setString(clip, P_SUPPORTED_COMPONENTS, 1, COMPONENT_ALPHA);
        /* a picture without alpha may come in; there is no matte in one that goes out */
        if (!i) props->setString(clip, P_SUPPORTED_COMPONENTS, 2, COMPONENT_RGB);
        props->setInt(clip, P_TILES, 0, 1);
        if (!i && general) props->setInt(clip, P_OPTIONAL, 0, 1);
    }
    /* contexts with one input have no second one */
    if (general && effects->clipDefine(effect, "Mask", &clip) == OFX_OK) {
        props->setString(clip, P_SUPPORTED_COMPONENTS, 0, COMPONENT_ALPHA);
        props->setString(clip, P_SUPPORTED_COMPONENTS, 1, COMPONENT_RGBA);
        props->setInt(clip, P_TILES, 0, 1);
        props->setInt(clip, P_OPTIONAL, 0, 1);
        props->setInt(clip, P_IS_MASK, 0, 1);
    }
    OfxStatus status = effects->getParamSet(effect, &set);
    if (status != OFX_OK) return status;
    OfxProps at;
    for (size_t i = 0; i < COUNT(node_groups); i++)
        if (params->define(set, PARAM_GROUP, node_groups[i].name, &at) == OFX_OK) props->setString(at, P_LABEL, 0, node_groups[i].label);
    for (size_t i = 0; i < PARAMETERS; i++) describe_parameter(set, &node_parameters[i]);
    for (size_t i = 0; i < COUNT(node_actions); i++) {
        if (params->define(set, PARAM_BUTTON, node_actions[i].name, &at) != OFX_OK) continue;
        props->setString(at, P_LABEL, 0, node_actions[i].label);
        props->setString(at, P_HINT, 0, node_actions[i].help);
        props->setString(at, P_PARENT, 0, node_actions[i].group);
    }
    if (params->define(set, PARAM_INT, PARAM_REVISION, &at) == OFX_OK) {
        props->setString(at, P_LABEL, 0, "Revision");
        props->setInt(at, P_SECRET, 0, 1);
        props->setInt(at, P_ANIMATES, 0, 0);
        props->setInt(at, P_DEFAULT, 0, 0);
    }
    /* hosts that show pages and not groups */
    if (params->define(set, PARAM_PAGE, "page", &at) == OFX_OK) {
        int n = 0;
        for (size_t i = 0; i < PARAMETERS; i++) props->setString(at, P_PAGE_CHILD, n++, node_parameters[i].name);
        for (size_t i = 0; i < COUNT(node_actions); i++) props->setString(at, P_PAGE_CHILD, n++, node_actions[i].name);
    }
    return OFX_OK;
}

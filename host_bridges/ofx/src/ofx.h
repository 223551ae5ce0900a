/* The part of the OpenFX Image Effect API 1.5 that this plug-in uses, written from its specification: names, values, and the layout of
 * structures. Nothing here is code of ours to choose: it is the binary interface between host and plug-in. */
#ifndef VR180_OFX_H
#define VR180_OFX_H

#include <stddef.h>

#if defined(_WIN32)
#define OFX_EXPORT __declspec(dllexport)
#else
#define OFX_EXPORT __attribute__((visibility("default")))
#endif

typedef int OfxStatus;
enum {
    OFX_OK = 0, OFX_FAILED = 1, OFX_ERR_FATAL = 2, OFX_ERR_UNKNOWN = 3, OFX_ERR_MISSING_HOST_FEATURE = 4, OFX_ERR_UNSUPPORTED = 5,
    OFX_ERR_EXISTS = 6, OFX_ERR_FORMAT = 7, OFX_ERR_MEMORY = 8, OFX_ERR_BAD_HANDLE = 9, OFX_ERR_BAD_INDEX = 10, OFX_ERR_VALUE = 11,
    OFX_REPLY_YES = 12, OFX_REPLY_NO = 13, OFX_REPLY_DEFAULT = 14
};

/* Handles are opaque, and of different kinds. */
typedef struct OfxPropertySetStruct *OfxProps;
typedef struct OfxParamSetStruct *OfxParamSet;
typedef struct OfxParamStruct *OfxParam;
typedef struct OfxImageEffectStruct *OfxEffect;
typedef struct OfxImageClipStruct *OfxClip;

typedef struct { double x1, y1, x2, y2; } OfxRectD;
typedef struct { int x1, y1, x2, y2; } OfxRectI;
typedef struct { double min, max; } OfxRangeD;

typedef struct {
    OfxProps host;
    const void *(*fetchSuite)(OfxProps host, const char *name, int version);
} OfxHost;

typedef OfxStatus (OfxEntry)(const char *action, const void *handle, OfxProps in, OfxProps out);

typedef struct {
    const char *api;
    int api_version;
    const char *identifier;
    unsigned int major, minor;
    void (*set_host)(OfxHost *host);
    OfxEntry *main;
} OfxPlugin;

typedef struct {
    OfxStatus (*setPointer)(OfxProps, const char *, int index, void *);
    OfxStatus (*setString)(OfxProps, const char *, int index, const char *);
    OfxStatus (*setDouble)(OfxProps, const char *, int index, double);
    OfxStatus (*setInt)(OfxProps, const char *, int index, int);
    OfxStatus (*setPointerN)(OfxProps, const char *, int count, void *const *);
    OfxStatus (*setStringN)(OfxProps, const char *, int count, const char *const *);
    OfxStatus (*setDoubleN)(OfxProps, const char *, int count, const double *);
    OfxStatus (*setIntN)(OfxProps, const char *, int count, const int *);
    OfxStatus (*getPointer)(OfxProps, const char *, int index, void **);
    OfxStatus (*getString)(OfxProps, const char *, int index, char **);
    OfxStatus (*getDouble)(OfxProps, const char *, int index, double *);
    OfxStatus (*getInt)(OfxProps, const char *, int index, int *);
    OfxStatus (*getPointerN)(OfxProps, const char *, int count, void **);
    OfxStatus (*getStringN)(OfxProps, const char *, int count, char **);
    OfxStatus (*getDoubleN)(OfxProps, const char *, int count, double *);
    OfxStatus (*getIntN)(OfxProps, const char *, int count, int *);
    OfxStatus (*reset)(OfxProps, const char *);
    OfxStatus (*getDimension)(OfxProps, const char *, int *count);
} OfxPropertySuite;

typedef struct {
    OfxStatus (*getPropertySet)(OfxEffect, OfxProps *);
    OfxStatus (*getParamSet)(OfxEffect, OfxParamSet *);
    OfxStatus (*clipDefine)(OfxEffect, const char *name, OfxProps *);
    OfxStatus (*clipGetHandle)(OfxEffect, const char *name, OfxClip *, OfxProps *);
    OfxStatus (*clipGetPropertySet)(OfxClip, OfxProps *);
    OfxStatus (*clipGetImage)(OfxClip, double time, const OfxRectD *region, OfxProps *image);
    OfxStatus (*clipReleaseImage)(OfxProps image);
    OfxStatus (*clipGetRegionOfDefinition)(OfxClip, double time, OfxRectD *);
    int (*abort)(OfxEffect);
    OfxStatus (*imageMemoryAlloc)(OfxEffect, size_t, void **memory);
    OfxStatus (*imageMemoryFree)(void *memory);
    OfxStatus (*imageMemoryLock)(void *memory, void **data);
    OfxStatus (*imageMemoryUnlock)(void *memory);
} OfxImageEffectSuite;

typedef struct {
    OfxStatus (*define)(OfxParamSet, const char *type, const char *name, OfxProps *);
    OfxStatus (*getHandle)(OfxParamSet, const char *name, OfxParam *, OfxProps *);
    OfxStatus (*setGetPropertySet)(OfxParamSet, OfxProps *);
    OfxStatus (*getPropertySet)(OfxParam, OfxProps *);
    OfxStatus (*getValue)(OfxParam, ...);
    OfxStatus (*getValueAtTime)(OfxParam, double time, ...);
    OfxStatus (*getDerivative)(OfxParam, double time, ...);
    OfxStatus (*getIntegral)(OfxParam, double time1, double time2, ...);
    OfxStatus (*setValue)(OfxParam, ...);
    OfxStatus (*setValueAtTime)(OfxParam, double time, ...);
    OfxStatus (*getNumKeys)(OfxParam, unsigned int *);
    OfxStatus (*getKeyTime)(OfxParam, unsigned int nth, double *);
    OfxStatus (*getKeyIndex)(OfxParam, double time, int direction, int *);
    OfxStatus (*deleteKey)(OfxParam, double time);
    OfxStatus (*deleteAllKeys)(OfxParam);
    OfxStatus (*copy)(OfxParam to, OfxParam from, double offset, const OfxRangeD *);
    OfxStatus (*editBegin)(OfxParamSet, const char *name);
    OfxStatus (*editEnd)(OfxParamSet);
} OfxParameterSuite;

typedef struct {
    OfxStatus (*message)(void *handle, const char *type, const char *id, const char *format, ...);
    OfxStatus (*setPersistent)(void *handle, const char *type, const char *id, const char *format, ...);
    OfxStatus (*clearPersistent)(void *handle);
} OfxMessageSuiteV2;

typedef struct {
    OfxStatus (*message)(void *handle, const char *type, const char *id, const char *format, ...);
} OfxMessageSuiteV1;

typedef struct {
    OfxStatus (*start)(void *effect, const char *label);
    OfxStatus (*update)(void *effect, double progress);
    OfxStatus (*end)(void *effect);
} OfxProgressSuite;

typedef void (OfxThreadFunction)(unsigned int index, unsigned int count, void *argument);
typedef struct {
    OfxStatus (*multiThread)(OfxThreadFunction *, unsigned int count, void *argument);
    OfxStatus (*numCPUs)(unsigned int *);
    OfxStatus (*threadIndex)(unsigned int *);
    int (*isSpawnedThread)(void);
    OfxStatus (*mutexCreate)(void **mutex, int locks);
    OfxStatus (*mutexDestroy)(void *mutex);
    OfxStatus (*mutexLock)(void *mutex);
    OfxStatus (*mutexUnlock)(void *mutex);
    OfxStatus (*mutexTryLock)(void *mutex);
} OfxMultiThreadSuite;

/* Views: an extension by which Nuke and Natron tell a plug-in which eye it renders. */
typedef struct {
    OfxStatus (*clipGetImagePlane)(OfxClip, double time, int view, const char *plane, OfxRectD *region, OfxProps *image);
    OfxStatus (*clipGetRegionOfDefinition)(OfxClip, double time, int view, OfxRectD *);
    OfxStatus (*getViewName)(OfxEffect, int view, char **name);
    OfxStatus (*getViewCount)(OfxEffect, int *count);
} OfxViewSuite;

#define SUITE_PROPERTY "OfxPropertySuite"
#define SUITE_EFFECT "OfxImageEffectSuite"
#define SUITE_PARAMETER "OfxParameterSuite"
#define SUITE_MESSAGE "OfxMessageSuite"
#define SUITE_PROGRESS "OfxProgressSuite"
#define SUITE_THREAD "OfxMultiThreadSuite"
#define SUITE_VIEW "uk.co.thefoundry.FnOfxImageEffectPlaneSuite"

#define API_IMAGE_EFFECT "OfxImageEffectPluginAPI"
#define ACTION_LOAD "OfxActionLoad"
#define ACTION_UNLOAD "OfxActionUnload"
#define ACTION_DESCRIBE "OfxActionDescribe"
#define ACTION_DESCRIBE_IN_CONTEXT "OfxImageEffectActionDescribeInContext"
#define ACTION_CREATE "OfxActionCreateInstance"
#define ACTION_DESTROY "OfxActionDestroyInstance"
#define ACTION_CHANGED "OfxActionInstanceChanged"
#define ACTION_PURGE "OfxActionPurgeCaches"
#define ACTION_ROD "OfxImageEffectActionGetRegionOfDefinition"
#define ACTION_TIME_DOMAIN "OfxImageEffectActionGetTimeDomain"
#define ACTION_PREFERENCES "OfxImageEffectActionGetClipPreferences"
#define ACTION_IDENTITY "OfxImageEffectActionIsIdentity"
#define ACTION_RENDER "OfxImageEffectActionRender"

#define CONTEXT_FILTER "OfxImageEffectContextFilter"
#define CONTEXT_GENERAL "OfxImageEffectContextGeneral"
#define COMPONENT_RGBA "OfxImageComponentRGBA"
#define COMPONENT_RGB "OfxImageComponentRGB"
#define COMPONENT_ALPHA "OfxImageComponentAlpha"
#define DEPTH_BYTE "OfxBitDepthByte"
#define DEPTH_SHORT "OfxBitDepthShort"
#define DEPTH_HALF "OfxBitDepthHalf"
#define DEPTH_FLOAT "OfxBitDepthFloat"
#define FULLY_SAFE "OfxImageEffectRenderFullySafe"
#define UNPREMULTIPLIED "OfxImageAlphaUnPremultiplied"

#define P_NAME "OfxPropName"
#define P_LABEL "OfxPropLabel"
#define P_SHORT_LABEL "OfxPropShortLabel"
#define P_LONG_LABEL "OfxPropLongLabel"
#define P_DESCRIPTION "OfxPropPluginDescription"
#define P_TIME "OfxPropTime"
#define P_INSTANCE_DATA "OfxPropInstanceData"
#define P_FILE_PATH "OfxPluginPropFilePath"
#define P_GROUPING "OfxImageEffectPluginPropGrouping"
#define P_CONTEXTS "OfxImageEffectPropSupportedContexts"
#define P_CONTEXT "OfxImageEffectPropContext"
#define P_DEPTHS "OfxImageEffectPropSupportedPixelDepths"
#define P_DEPTH "OfxImageEffectPropPixelDepth"
#define P_COMPONENTS "OfxImageEffectPropComponents"
#define P_SUPPORTED_COMPONENTS "OfxImageEffectPropSupportedComponents"
#define P_SAFETY "OfxImageEffectPluginRenderThreadSafety"
#define P_HOST_THREADING "OfxImageEffectPluginPropHostFrameThreading"
#define P_SINGLE_INSTANCE "OfxImageEffectPluginPropSingleInstance"
#define P_MULTI_RESOLUTION "OfxImageEffectPropSupportsMultiResolution"
#define P_TILES "OfxImageEffectPropSupportsTiles"
#define P_TEMPORAL "OfxImageEffectPropTemporalClipAccess"
#define P_MULTI_DEPTH "OfxImageEffectPropMultipleClipDepths"
#define P_MULTI_PAR "OfxImageEffectPropSupportsMultipleClipPARs"
#define P_IMAGE_ROD "OfxImagePropRegionOfDefinition"
#define P_PIXEL_ASPECT "OfxImagePropPixelAspectRatio"
#define P_UNMAPPED_COMPONENTS "OfxImageClipPropUnmappedComponents"
#define P_OUTPUT_COMPONENTS "OfxImageClipPropComponents_Output"
#define P_FRAME_VARYING "OfxImageEffectFrameVarying"
#define P_OPTIONAL "OfxImageClipPropOptional"
#define P_IS_MASK "OfxImageClipPropIsMask"
#define P_CONNECTED "OfxImageClipPropConnected"
#define P_PREMULTIPLICATION "OfxImageEffectPropPreMultiplication"
#define P_RENDER_WINDOW "OfxImageEffectPropRenderWindow"
#define P_RENDER_SCALE "OfxImageEffectPropRenderScale"
#define P_RENDER_DRAFT "OfxImageEffectPropRenderQualityDraft"
#define P_REGION_OF_DEFINITION "OfxImageEffectPropRegionOfDefinition"
#define P_DURATION "OfxImageEffectInstancePropEffectDuration"
#define P_FRAME_RANGE "OfxImageEffectPropFrameRange"
#define P_CHANGE_REASON "OfxPropChangeReason"
#define CHANGE_USER "OfxChangeUserEdited"
#define P_IMAGE_DATA "OfxImagePropData"
#define P_IMAGE_BOUNDS "OfxImagePropBounds"
#define P_IMAGE_ROW_BYTES "OfxImagePropRowBytes"
#define P_VIEW "uk.co.thefoundry.OfxImageEffectPropView"
/* of Resolve: the input's file, on the instance; its frame from 0, and 0 for the left eye or the only one, 1 for the right one, where it renders */
#define P_SRC_FILE "OfxImageEffectPropSrcFilePath"
#define P_SRC_FRAME "OfxImageEffectPropSrcFrame"
#define P_EYE "OfxImageEffectPropEyeToRender"
#define P_THUMBNAIL "OfxImageClipPropThumbnail"
/* of Vegas: how many views there are, and 0 for the only one or the left one, 1 for the right one */
#define P_VIEWS_TO_RENDER "OfxImageEffectPropViewsToRender"
#define P_RENDER_VIEW "OfxImageEffectPropRenderView"
#define P_VIEW_AWARE "uk.co.thefoundry.OfxImageEffectPropViewAware"

#define PARAM_INT "OfxParamTypeInteger"
#define PARAM_DOUBLE "OfxParamTypeDouble"
#define PARAM_BOOL "OfxParamTypeBoolean"
#define PARAM_CHOICE "OfxParamTypeChoice"
#define PARAM_STRING "OfxParamTypeString"
#define PARAM_GROUP "OfxParamTypeGroup"
#define PARAM_PAGE "OfxParamTypePage"
#define PARAM_BUTTON "OfxParamTypePushButton"
#define P_DEFAULT "OfxParamPropDefault"
#define P_MIN "OfxParamPropMin"
#define P_MAX "OfxParamPropMax"
#define P_DISPLAY_MIN "OfxParamPropDisplayMin"
#define P_DISPLAY_MAX "OfxParamPropDisplayMax"
#define P_HINT "OfxParamPropHint"
#define P_PARENT "OfxParamPropParent"
#define P_ANIMATES "OfxParamPropAnimates"
#define P_CHOICE_OPTION "OfxParamPropChoiceOption"
#define P_STRING_MODE "OfxParamPropStringMode"
#define P_PATH_EXISTS "OfxParamPropStringFilePathExists"
#define P_EVALUATE "OfxParamPropEvaluateOnChange"
#define P_SECRET "OfxParamPropSecret"
#define P_PERSISTENT "OfxParamPropPersistant"
#define P_PAGE_CHILD "OfxParamPropPageChild"
#define STRING_SINGLE "OfxParamStringIsSingleLine"
#define STRING_FILE "OfxParamStringIsFilePath"
#define STRING_FOLDER "OfxParamStringIsDirectoryPath"
#define STRING_LABEL "OfxParamStringIsLabel"

/* Of this plug-in alone: raised when what hosts keep of it is not right any more. */
#define PARAM_REVISION "revision"

#define MESSAGE_ERROR "OfxMessageError"
#define MESSAGE_MESSAGE "OfxMessageMessage"

#endif

/* made by python nodes/generate.py; do not edit */
#ifndef VR180_PARAMETERS_H
#define VR180_PARAMETERS_H

#include "node.h"

#define NODE_LABEL "VR180 Matte"
#define NODE_HELP "Mattes of the people in stereo VR180 footage, the same in both eyes, from a frame server beside the host."

static const char *const choices_layout[] = {"auto", "sbs", "tb", "mono", 0};
static const char *const choices_projection[] = {"auto", "equirect180", "fisheye", "flat", 0};
static const char *const choices_view[] = {"auto", "left", "right", "both", 0};
static const char *const choices_quality[] = {"draft_then_final", "final", "draft", 0};
static const char *const choices_mask_mode[] = {"remove", "keep", 0};
static const char *const choices_tracker[] = {"auto", "blazepose", "sam2.1_t", "sam2.1_s", "sam2.1_b+", "sam2.1_l", "rvm", 0};
static const char *const choices_refiner[] = {"auto", "none", "guided", "closed_form", "rvm", "student", 0};
static const char *const choices_scale[] = {"1", "0.5", "0.25", 0};
static const char *const choices_edge_unit[] = {"pixels", "milliradians", 0};
static const char *const choices_detector[] = {"blazepose", "yolov8n", "yolov8s", "yolov8m", 0};
static const char *const choices_exr_preset[] = {"generic", "nuke", "resolve", "blender", 0};
static const char *const choices_rgb[] = {"none", "foreground", "premultiplied", 0};
static const char *const choices_compression[] = {"none", "zips", "zip", "piz", "dwaa", "dwab", "htj2k", "zstd", 0};

static const Group node_groups[] = {
    {"input", "Clip"},
    {"matte", "Matte"},
    {"edges", "Edges"},
    {"people", "People"},
    {"output", "Render"},
    {"server", "Server"},
};

static const Parameter node_parameters[] = {
    {"clip", "Clip", K_FILE, "input", "The video, or one image of a sequence, of both eyes. Where the host knows the file of the input, empty means that one.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"first_frame", "First frame", K_INT, "input", "The frame of the host that shows the clip's first one.",
     "", 1.0, "", -9999999.0, 9999999.0, 0, 0},
    {"find_frame", "Find frame", K_BOOL, "input", "As long as First frame is 1: take the clip's frame from what the host says of the input. Off: First frame counts, whatever the host says.",
     "", 1.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"layout", "Layout", K_CHOICE, "input", "Where the eyes lie in the frame.",
     "input.layout", 0.0, "auto", -1000000000.0, 1000000000.0, choices_layout, 0},
    {"projection", "Projection", K_CHOICE, "input", "How an eye's picture samples the sphere.",
     "input.projection", 0.0, "auto", -1000000000.0, 1000000000.0, choices_projection, 0},
    {"fov_degrees", "Field of view", K_FLOAT, "input", "Field of view of one eye; by default what the projection or the file name says.",
     "input.fov_degrees", 0.0, "", 0.0, 359.999, 0, 0},
    {"swap_eyes", "Swap eyes", K_BOOL, "input", "The left eye lies where the right one is expected.",
     "input.swap_eyes", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"colorspace", "Colour space", K_TEXT, "input", "auto, srgb, rec709, pq, hlg, linear, or a colour space of OpenColorIO's studio config.",
     "input.colorspace", 0.0, "auto", -1000000000.0, 1000000000.0, 0, 0},
    {"view", "Eye", K_CHOICE, "matte", "auto: the eye that the host asks for, where it knows eyes; else both, as they lie in the clip.",
     "", 0.0, "auto", -1000000000.0, 1000000000.0, choices_view, 0},
    {"layer", "Layer", K_TEXT, "matte", "A: everybody. confidence.A: how sure the matte is. A person's name: that person alone.",
     "", 0.0, "A", -1000000000.0, 1000000000.0, 0, 0},
    {"quality", "Quality", K_CHOICE, "matte", "draft: from each frame alone, at once. final: stable in time. draft_then_final: a draft while the final is being made; renders always wait for the final.",
     "", 0.0, "draft_then_final", -1000000000.0, 1000000000.0, choices_quality, 0},
    {"invert", "Invert", K_BOOL, "matte", "Show where nobody is.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 1},
    {"mix", "Mix", K_FLOAT, "matte", "0 leaves the input's alpha as it is, 1 replaces it by the matte.",
     "", 1.0, "", 0.0, 1.0, 0, 1},
    {"mask_mode", "Mask", K_CHOICE, "matte", "What the second input does where its alpha is 1. remove: nobody is there (a garbage matte). keep: it is wholly covered (a holdout matte). In between it does so in part.",
     "", 0.0, "remove", -1000000000.0, 1000000000.0, choices_mask_mode, 0},
    {"tracker", "Tracker", K_CHOICE, "matte", "Who follows the people. auto: the best SAM 2.1 on CUDA whose weights are there, else blazepose. rvm: whole eyes.",
     "matting.tracker", 0.0, "auto", -1000000000.0, 1000000000.0, choices_tracker, 0},
    {"refiner", "Refiner", K_CHOICE, "matte", "How edges are made at full resolution. auto: rvm on CUDA and on CPUs with bfloat16, when its weights are there; else guided. student: this project's own network, which is still learning.",
     "matting.refiner", 0.0, "auto", -1000000000.0, 1000000000.0, choices_refiner, 0},
    {"scale", "Scale", K_CHOICE, "matte", "Resolution at which mattes are made: 0.25, 0.5 or 1.0 of the input. Files keep the clip's size; output.scale makes them smaller.",
     "processing.scale_factor", 0.0, "1", -1000000000.0, 1000000000.0, choices_scale, 0},
    {"edge_size", "Size", K_FLOAT, "edges", "Pixels by which mattes grow; below 0 they shrink.",
     "edges.size", 0.0, "", -20.0, 20.0, 0, 1},
    {"edge_feather", "Feather", K_FLOAT, "edges", "Pixels over which a sharp edge fades from 90 to 10 per cent, to both sides of where it was.",
     "edges.feather", 0.0, "", 0.0, 40.0, 0, 1},
    {"edge_softness", "Softness", K_FLOAT, "edges", "Soft edges become 2^softness times as wide as they are: -1 halves them, 1 doubles them; sharp ones stay sharp.",
     "edges.softness", 0.0, "", -4.0, 1.0, 0, 1},
    {"edge_black_clip", "Black clip", K_FLOAT, "edges", "What is covered by less is not covered at all: takes haze away.",
     "edges.black_clip", 0.0, "", 0.0, 0.499, 0, 1},
    {"edge_white_clip", "White clip", K_FLOAT, "edges", "What is covered by more is covered wholly: fills thin places.",
     "edges.white_clip", 1.0, "", 0.501, 1.0, 0, 1},
    {"edge_gamma", "Gamma", K_FLOAT, "edges", "Above 1 half-covered pixels are covered more, below 1 less.",
     "edges.gamma", 1.0, "", 0.1, 10.0, 0, 1},
    {"edge_despeckle", "Despeckle", K_FLOAT, "edges", "Islands that cover less than so many square pixels are taken away.",
     "edges.despeckle", 0.0, "", 0.0, 10000.0, 0, 1},
    {"edge_close_holes", "Close holes", K_FLOAT, "edges", "Holes of less than so many square pixels are filled.",
     "edges.close_holes", 0.0, "", 0.0, 10000.0, 0, 1},
    {"edge_temporal", "Temporal", K_FLOAT, "edges", "How much the frames before and after count, along the motion of the picture; 1: as much as the frame itself.",
     "edges.temporal", 0.0, "", 0.0, 1.0, 0, 1},
    {"edge_keep_motion_blur", "Keep motion blur", K_BOOL, "edges", "Where people move fast the shutter blurs their edges: there clips, gamma and softness leave them as they are.",
     "edges.keep_motion_blur", 0.0, "", -1000000000.0, 1000000000.0, 0, 1},
    {"edge_unit", "Unit", K_CHOICE, "edges", "What size, feather, despeckle and close_holes are measured in. milliradians: as one sees it in the headset, the same at every place and in every resolution.",
     "edges.unit", 0.0, "pixels", -1000000000.0, 1000000000.0, choices_edge_unit, 1},
    {"detector", "Detector", K_CHOICE, "people", "blazepose; with the extra `yolo` also yolov8n, yolov8s, yolov8m, or a model file.",
     "detection.model", 0.0, "blazepose", -1000000000.0, 1000000000.0, choices_detector, 0},
    {"confidence", "Confidence", K_FLOAT, "people", "What the detector's guesses at somebody must add up to before they are a person.",
     "detection.confidence_threshold", 0.7, "", 0.001, 0.999, 0, 0},
    {"detect_every", "Search every", K_INT, "people", "Frames between two searches of the whole field of view.",
     "detection.every", 8.0, "", 1.0, 1000.0, 0, 0},
    {"max_people", "Most people", K_INT, "people", "At most so many people at once, the largest first.",
     "detection.max_people", 8.0, "", 1.0, 99.0, 0, 0},
    {"people_list", "Found", K_MESSAGE, "people", "Who was found, by number and name.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"folder", "Folder", K_FOLDER, "output", "Where EXR files are written, as the server sees it.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"frames", "Frames", K_TEXT, "output", "all, or ranges in the host's numbers such as 1-48,100.",
     "", 0.0, "all", -1000000000.0, 1000000000.0, 0, 0},
    {"exr_preset", "Made for", K_CHOICE, "output", "What the EXR is made for.",
     "output.exr_preset", 0.0, "generic", -1000000000.0, 1000000000.0, choices_exr_preset, 0},
    {"rgb", "Colour", K_CHOICE, "output", "Colour beside the alpha in EXR files.",
     "output.rgb", 0.0, "none", -1000000000.0, 1000000000.0, choices_rgb, 0},
    {"output_colorspace", "Colour as", K_TEXT, "output", "What R, G and B of EXR files are. scene_linear: light, of Rec.709 primaries, or as it is when the plate is light already. as_source: the plate's own encoding. Else a colour space of OpenColorIO's studio config, such as ACEScg.",
     "output.colorspace", 0.0, "scene_linear", -1000000000.0, 1000000000.0, 0, 0},
    {"cryptomatte", "Cryptomatte", K_BOOL, "output", "Beside the EXR files, a file of Cryptomatte for each eye, CLIP_crypto_EYE.0001.exr: people to be picked by name or by clicking.",
     "output.cryptomatte", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"compression", "Compression", K_CHOICE, "output", "Compression of the EXR files.",
     "output.compression", 1.0, "zips", -1000000000.0, 1000000000.0, choices_compression, 0},
    {"overwrite", "Overwrite", K_BOOL, "output", "Render frames again that are already there.",
     "output.overwrite", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"address", "Address", K_TEXT, "server", "http://127.0.0.1:PORT of a frame server; empty is the one that you run.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"token_file", "Token file", K_FILE, "server", "The file with that server's token; empty is your own.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"start_server", "Start it", K_BOOL, "server", "Start a frame server when none is running.",
     "", 1.0, "", -1000000000.0, 1000000000.0, 0, 0},
    {"status", "Status", K_MESSAGE, "server", "What is going on.",
     "", 0.0, "", -1000000000.0, 1000000000.0, 0, 0},
};

static const Action node_actions[] = {
    {"analyse", "Analyse", "people", "Find the people in the clip."},
    {"forget_corrections", "Forget corrections", "people", "Back to the people that were found automatically."},
    {"render", "Render range", "output", "Write the matte as EXR files; goes on where an earlier render stopped."},
    {"clear_cache", "Clear cache", "server", "Forget the finished frames of this clip on the server."},
    {"reconnect", "Reconnect", "server", "Look for the frame server again, and start it when there is none."},
};

#endif

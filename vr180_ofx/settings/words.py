"""What people of the field call a setting, or say when they want it: what `settings.search` finds it by, beside its name and its text.

A line a setting, with commas between: other programs' words for the same, what it is for, and the complaint that it mends. A setting
without words is found by its name and description alone; a test holds that none is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

#: section -> key -> words.
WORDS: Mapping[str, Mapping[str, str]] = {
    "input": {
        "video_path": "clip, plate, source, footage, input file, film, movie",
        "layout": "side by side, sbs, top and bottom, over under, tb, ou, left right, stereo layout, packing, mono, 2d, half width",
        "projection": "lens, equirectangular, equirect, latlong, spherical, 360, vr180, dome, flat, rectilinear, fisheye, mesh",
        "fov_degrees": "fov, field of view, angle, lens, wide, degrees, fisheye190, mkx200",
        "colorspace": "colour space, color space, transfer, gamma, log, camera log, aces, acescg, rec709, srgb, pq, hlg, hdr, linear, "
        "ocio, opencolorio, too dark, washed out, lut",
        "frames": "range, frame range, first, last, in, out, part, from to, trim, subset, handles, only some frames, test frames, every "
        "nth",
        "frame_rate": "fps, frames per second, rate, speed of the clip, 24, 23.976, 30, 60, retime",
        "swap_eyes": "eyes swapped, wrong eye, cross eyed, right left, swap, depth inverted, reversed stereo",
        "interocular_m": "interaxial, ipd, baseline, eye distance, camera distance, interocular, pupil",
    },
    "processing": {
        "scale_factor": "half size, proxy, quarter, resolution, faster, speed, quick, size, draft, preview, slow, memory, scale",
        "upsampling": "upscale, resample, interpolation, upsample, enlarge, joint bilateral, guided upsample",
        "chunk_size": "chunk, long clip, length, split into parts, segment, drift, random access",
        "overlap_frames": "warm up, pre roll, preroll, overlap, crossfade, cross fade, handles, seam between chunks, jump between chunks",
        "streaming_output": "stream",
        "memory_pipeline": "in memory",
        "parallel_eyes": "both eyes at once, parallel, threads, memory, faster, one eye after the other, concurrency",
        "decode_timeout_s": "timeout, hangs, stuck, network drive, slow disk, give up, damaged",
        "batch_size": "batch, gpu memory, vram, at once, out of memory, cuda out of memory, faster on the gpu",
        "max_memory_gb": "ram, memory, out of memory, limit, gigabytes, swap, killed",
    },
    "detection": {
        "model": "detector, yolo, person detector, find people, other detector, detection network",
        "weights": "own model, custom detector, checkpoint",
        "confidence_threshold": "conf, missed, misses somebody, not found, false person, ghost, statue, poster, threshold, sensitivity, "
        "certainty, finds too many, mannequin, mirror",
        "every": "search, interval, step, how often, somebody walks in, comes late, analysis speed, analyse faster",
        "max_people": "crowd, number of people, how many, one person, actors, extras, only the largest, background people, passers by",
        "boxes": "plan, own boxes, given boxes, bounding boxes, roi",
    },
    "matting": {
        "tracker": "tracking, follow, sam, sam2, segment anything, mask network, rvm, temporal, lost, jumps to somebody else, identity",
        "refiner": "hair, edge, soft edge, fine detail, rvm, robust video matting, closed form, guided filter, matting, fuzzy, fur, "
        "motion blur edge, better edges, transparent",
        "tracker_weights": "sam weights, own weights, checkpoint, fine tuned",
        "refiner_weights": "rvm weights, own weights, checkpoint, fine tuned",
        "downsample": "rvm size, whole eye size, downsample ratio, network resolution",
        "seq_chunk": "sequence chunk, rvm batch, frames at once",
        "refiner_size": "hair detail, rvm window, window of the matting network, finer hair",
        "window_size": "sam size, mask resolution, finer mask, network resolution, window",
        "memory_selection": "drift, wrong person, crowd, memory bank, samurai, loses the person",
        "prompt_again_after": "prompt, again, reappear, comes back, lost, re detect, refind",
        "use_disparity_mapping": "disparity, both eyes confirm, stereo check, eyes together, cross check",
        "memory_offload": "offload, vram, gpu memory, cpu offload, out of memory",
        "fp16": "half precision, half float, bf16, bfloat16, precision, fp32, faster, mixed precision, speed",
        "stabilise": "flicker, jitter, chatter, boil, temporal, smooth over time, stabilize, steady, noise, wobble, lag, ghosting",
    },
    "stereo": {
        "consistency_mode": "stereo, both eyes, consistency, eyes differ, eye mismatch, retinal rivalry, joint, same in both eyes, left "
        "right differ, stereo edge",
        "validation_threshold": "agreement, eyes disagree, tolerance, when an eye is corrected, stereo threshold",
        "correction_method": "correct, fix eye, transfer, warp to the other eye, reprocess, ensemble, repair eye",
        "reference": "hero eye, main eye, master, dominant eye, primary eye, preferred eye, leading eye",
    },
    "output": {
        "path": "folder, destination, where, output folder, output directory, save to",
        "format": "file type, kind, png, exr, mov, mp4, prores, prores 4444, webm, greenscreen, chroma, video, alpha video, transparency, "
        "transparent, still, container, passthrough, deovr, packed alpha, stringout, "
        "green screen",
        "video_codec": "h264, h265, hevc, x264, x265, avc, codec, compression of the video, encoder",
        "video_quality": "crf, bitrate, quality, compression artefacts, blocky, file size, quantiser",
        "video_bits": "10 bit, bit depth, banding, 8 bit, hdr, gradient",
        "eyes": "separate eyes, split eyes, side by side, mono file, stereo file, sbs",
        "projection": "reproject, fisheye output, equirect output, dome, deovr",
        "fov_degrees": "output fov, output angle, fisheye 190",
        "background_color": "background, green, blue, screen colour, backdrop, chroma colour, colour behind, grey, black background, rgb, "
        "fill",
        "eye": "one eye, left eye only, right eye, mono, single eye, flat, one view, 2d",
        "scale": "half size files, smaller files, output size, resize, shrink, proxy files, quarter size, downscale",
        "maintain_sbs": "both eyes in one picture, side by side, files per eye, separate, split",
        "start_frame": "first frame number, 1001, number, numbering, offset, frame offset, start at, file number, renumber",
        "exr_preset": "nuke, resolve, fusion, blender, compositor, host, compatible, preset, cannot read, channels",
        "exr_layout": "multi part, multipart, single part, views, stereo exr, per view, file per eye, subimage, channels, one file per eye",
        "compression": "zip, piz, dwa, zips, file size, lossless, lossy, disk space, smaller, slow to read, exr compression",
        "colorspace": "output colour space, scene linear, linear light, linearize, gamma of the exr, as the plate, "
        "chromaticities, convert colour, write linear",
        "rgb": "premult, premultiplied, unpremult, unpremultiplied, colour in exr, rgba, fill, straight, fringe, plate colour, beauty, "
        "foreground colour, matted colour, dark fringe",
        "foreground_method": "edge colour, colour estimation, decontaminate, unmix, halo, fringe, background bleeding, foreground "
        "estimation",
        "despill": "spill, green spill, blue spill, green edges, green light, screen light, suppress",
        "despill_amount": "spill strength, less despill, how much spill",
        "people": "layers, layer per person, per person, ids, separate people, object layers, aov, individual, person channels",
        "cryptomatte": "crypto, id matte, object id, manifest, picker, id pass, murmurhash",
        "cryptomatte_levels": "cryptomatte ranks, depth of cryptomatte, how many people in a pixel, overlapping ids",
        "overwrite": "replace, again, redo, rerender, re render, render again, force, render anew, existing files, skip",
    },
    "mattes": {
        "garbage": "garbage matte, junk matte, mask out, remove a part, exclusion, roto, cut out, clear an area, occlusion matte",
        "holdout": "holdout matte, hold out, core matte, inside mask, keep a part, force inside, solid, fill a hole, add a part",
        "holdout_person": "whose holdout, holdout name, core of whom",
        "channel": "which channel, layer of the garbage matte, exr layer, alpha or red, mask channel",
        "first": "number of the first mask, frame offset of the garbage matte, mask numbering",
        "carry": "garbage in both eyes, other eye's garbage, carry by disparity, one eye mask, stereo roto",
        "feather": "soft garbage, feather the mask, blur the garbage matte, soft roto edge",
    },
    "edges": {
        "temporal": "temporal smoothing of edges, edge flicker, boiling edges, chattering edges, edge jitter, edge stability, wobbling "
        "edge",
        "black_clip": "clip black, crush blacks, black point, haze, noise in the background, dirt, ghosting, faint alpha, garbage in "
        "the alpha,  "
        "levels, cleanup, clean black",
        "white_clip": "clip white, white point, semi transparent inside, holes inside the body, grey core, solid core, levels, clean "
        "white,  "
        "see through body",
        "gamma": "edge gamma, midtones, levels, matte gamma, edge weight, alpha curve",
        "softness": "soft edge, softer, sharpen, hard edge, harder, edge width, crisp, matte contrast, edge contrast, too soft, too hard",
        "keep_motion_blur": "motion blur, blurred hands, fast movement, moving arms, shutter, smear, streaks",
        "despeckle": "speckles, islands, small dots, noise, specks, remove small areas, dust, crumbs, stray pixels, spots, dots",
        "close_holes": "holes, fill holes, pinholes, gaps, fill, leaks",
        "size": "erode, dilate, shrink, choke, choker, grow, expand, spread, contract, edge, thicker, thinner, too fat, too thin, matte"
        " edge, smaller edge, edge smaller, smaller matte, larger matte, bigger matte, tighter, tighten, pull in, inset, rim, dark rim",
        "feather": "blur, feathering, soften, edge blur, blend edge, matte blur, gaussian, defocus",
        "unit": "pixels or milliradians, mrad, angle, resolution independent, units, degrees",
    },
    "audio": {
        "preserve_audio": "sound, audio, mute, no sound, without sound, keep sound, silent",
        "verify_sync": "sync, lip sync, out of sync, av sync, drift of the sound",
        "audio_codec": "aac, pcm, wav, opus, sound codec, convert sound, audio format",
    },
    "hardware": {
        "device": "gpu, cuda, graphics card, cpu, mps, metal, apple, nvidia, which gpu, second gpu",
        "decoder": "hardware decoding, nvdec, gpu decode, videotoolbox, vaapi, faster decoding, decode",
        "compile": "torch compile, inductor, triton, optimise, optimize, faster network, jit, speed up the gpu",
        "max_vram_gb": "vram, gpu memory, graphics memory, cuda out of memory, limit",
        "threads": "cores, cpu, parallel, processes, use fewer cores, workers, load, faster, busy machine, concurrency",
    },
    "performance": {
        "profile_enabled": "profile, timing, where the time goes, slow, benchmark, measure",
        "price_per_hour": "cost, price, money, cloud, budget, rate",
        "preserve_intermediates": "intermediate files",
    },
    "debugging": {
        "log_intermediate_workflow": "log, verbose, debug",
        "save_detection_visualization": "contact sheet, preview picture, see boxes, visualise, who is who, debug picture, visualization",
        "frame_count_validation": "count frames, check output, verify, missing frames",
    },
    "service": {
        "host": "listen, bind, address, ip, network, other machine, lan, remote",
        "port": "tcp port, port number",
        "token_file": "token, password, login, access, authentication, secret, key",
        "allowed_roots": "folders allowed, permission, root, access to folders, 403, forbidden, outside",
        "cache_dir": "cache, where is the cache, scratch disk, temp, temporary files, move cache",
        "cache_gb": "cache size, disk space, disk full, cache limit",
        "max_clips": "open clips, many clips, at once",
        "max_renders": "queue, waiting renders, queue length",
        "max_requests_per_second": "rate limit, too many requests, throttle, 429",
        "prefetch": "read ahead, look ahead, scrubbing, ahead, playback, cache ahead, faster scrubbing",
    },
}

#!/bin/sh
# The OpenFX plug-in in MLT's melt (7.34 or later), the host inside of Kdenlive and Shotcut: sh openfx_mlt.sh clip.mp4 out.mov
# Before: vr180-ofx install ofx --path ~/OFX. MLT counts frames from 0. The matte is the alpha of a ProRes 4444 file.
set -eu
clip=$(realpath "$1")
export OFX_PLUGIN_PATH="${OFX_PLUGIN_PATH:-$HOME/OFX}"
melt "$clip" -filter openfx.vr180ofx.VR180Matte clip="$clip" first_frame=0 \
    -consumer "avformat:$2" vcodec=prores_ks vprofile=4444 pix_fmt=yuva444p10le mlt_image_format=rgba an=1 real_time=-1 terminate_on_pause=1

#!/bin/sh
# First process of the guest, from the start disk in memory: load the modules, put the root of the
# machine outside under a layer that forgets, and go on there.
mkdir -p /proc /sys /dev /outside /layer /root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do
    insmod "/modules/$module" || echo "init: $module was not loaded"
done </order
share=trans=virtio,version=9p2000.L,msize=512000
mount -t 9p -o "$share,cache=loose,ro" root /outside
mount -t tmpfs layer /layer
mkdir /layer/changes /layer/work
mount -t overlay -o lowerdir=/outside,upperdir=/layer/changes,workdir=/layer/work root /root
mkdir -p /root/proc /root/sys /root/dev /root/run /root/out
mount -t 9p -o "$share" out /root/out
for each in proc sys dev; do
    mount --move "/$each" "/root/$each"
done
mount -t tmpfs run /root/run
exec switch_root /root /bin/bash /out/guest.sh

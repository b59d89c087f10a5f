#!/bin/bash
# First process behind init.sh, with the files of the machine outside: do /out/job and switch off.
exec </dev/null 2>&1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
source /out/job # HJEMGATE_VM_TREE, folder, job=(command), limit_s

mkdir -p /dev/pts /dev/shm /run/dbus
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
ip link set lo up

# bluetoothd and dbus-daemon live in the tree of their release and share all that is the kernel's;
# bonds in memory: the layer below would do, but a file system of their own is quicker.
mkdir -p "$HJEMGATE_VM_TREE"/{proc,sys,dev,run,tmp,var/lib/bluetooth}
for each in proc sys dev run; do
    mount --rbind "/$each" "$HJEMGATE_VM_TREE/$each"
done
mount -t tmpfs bonds "$HJEMGATE_VM_TREE/var/lib/bluetooth"
chroot "$HJEMGATE_VM_TREE" dbus-uuidgen --ensure
chroot "$HJEMGATE_VM_TREE" dbus-daemon --system --fork --nopidfile 2>/out/dbus.log

read -r uptime _ </proc/uptime
echo "guest: $(uname -r), up after $uptime s"
cd "$folder" && timeout --kill-after=5 "$limit_s" "${job[@]}"
echo $? >/out/status
read -r uptime _ </proc/uptime
echo "guest: over after $uptime s"
sync
chroot "$HJEMGATE_VM_TREE" busybox poweroff -f

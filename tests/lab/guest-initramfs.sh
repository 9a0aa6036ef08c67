#!/bin/busybox sh
# /init of the initramfs: the host's root as overlay below a tmpfs, then over to guest-init.sh, which
# guest.py put into the share.
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys

die() {
    echo "guest: $*" >/dev/ttyS0
    poweroff -f
}

if grep -qw guest.probe /proc/cmdline; then
    echo "guest: probe ok" >/dev/ttyS0
    poweroff -f
fi

while read -r module; do
    insmod "/modules/$module" || die "cannot load $module"
done </modules/order

mkdir -p /lower /upper /new
mount -t virtiofs -o ro root /lower || die "cannot mount the host's root"
mount -t tmpfs -o size=80% upper /upper
mkdir /upper/data /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /new || die "cannot mount the overlay"
mkdir -p /new/results
mount -t virtiofs results /new/results || die "cannot mount the results"

control=$(sed -n 's/.*guest\.control=\([^ ]*\).*/\1/p' /proc/cmdline)
for fs in dev proc sys; do
    mount --move /$fs /new/$fs
done
# shellcheck disable=SC2093 # it returns only if it fails
exec switch_root /new /bin/sh "/results/$control/init"
die "cannot switch to the new root"

#!/bin/sh
# Process 1 of the guest, once the host's root is in place: make it a machine, run the command with its output on
# the virtio port, leave its status in the share, power off.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root
control=/results/$(sed -n 's/.*guest\.control=\([^ ]*\).*/\1/p' /proc/cmdline)

mount -t tmpfs -o mode=755 run /run
mount -t tmpfs mnt /mnt
mkdir -p /run/lock /run/netns /dev/shm /dev/pts
mount -t tmpfs shm /dev/shm
mount -t devpts -o mode=600,ptmxmode=666 devpts /dev/pts
ln -sf /proc/self/fd /dev/fd
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t debugfs debug /sys/kernel/debug 2>/dev/null

hostname guest
echo "127.0.0.1 localhost guest" >/etc/hosts
: >/etc/resolv.conf
ip link set lo up
dmesg -n 1
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 \
    net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
    net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
    net.ipv4.neigh.default.gc_thresh3=65536 net.ipv6.neigh.default.gc_thresh3=65536 \
    net.ipv6.route.max_size=1048576
modprobe -a openvswitch vrf xfrm_interface xfrm_user esp4 esp6 nf_tables nft_chain_nat nft_masq 8021q \
    veth dummy bridge sch_netem tun 2>"$control/modprobe"

(modprobe -a aesni_intel gcm seqiv cbc hmac sha256_ssse3 sha512_ssse3 authenc echainiv ctr 2>/dev/null) &
# A virtual console is a terminal, a port is only a pipe; which of them it is guest.py has chosen.
port=/dev/null
for _ in $(seq 100); do
    for name in /sys/class/virtio-ports/*/name; do
        [ -e "$name" ] && grep -qx guest.output "$name" && port=/dev/$(basename "$(dirname "$name")")
    done
    [ "$port" != /dev/null ] && break
    sleep 0.05
done

if [ -c /dev/hvc0 ]; then
    setsid -c -w sh "$control/command" </dev/hvc0 >/dev/hvc0 2>&1
else
    setsid -w sh "$control/command" </dev/null >"$port" 2>&1
fi
echo $? >"$control/status"
sync -f "$control/status"
/bin/busybox poweroff -f

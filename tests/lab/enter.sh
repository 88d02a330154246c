# The second half of a root.sh, in the root that it has filled: the kernel's file systems, then systemd as PID 1.
# `limit`: a command that starts systemd with fewer rights.
# Prints "mounted", waits for a line on stdin, starts systemd. Each mount that looks odd keeps the lab away from the host (tests/lab/README.md).
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup sys/fs/cgroup
mount -t tmpfs -o mode=755,nosuid tmpfs dev
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs tmp
for device in null zero full random urandom; do : > dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm run/host
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd

mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys    # sysctls belong to the whole machine
for file in sysrq-trigger irq bus; do [ ! -e proc/$file ] || { mount --bind proc/$file proc/$file && mount -o remount,bind,ro proc/$file; }; done
cat /proc/sys/kernel/random/uuid > run/host/boot_id                     # a boot of its own, or its entries have the host's _BOOT_ID
mount --bind run/host/boot_id proc/sys/kernel/random/boot_id
: > run/host/kmsg && mount --bind run/host/kmsg proc/kmsg               # journald would take the host's kernel log

hostname "$(cat etc/hostname)"
echo mounted
read -r _
pivot_root . old
chroot /old /usr/bin/umount -l / && rmdir /old
exec ${limit-} env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 /usr/lib/systemd/systemd --system --unit=multi-user.target </dev/null >/run/host/console 2>&1

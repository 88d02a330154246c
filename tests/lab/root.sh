#!/bin/bash
# Becomes PID 1 of a lab: builds a root in memory around the /usr of the host or of another system, read-only, and starts systemd in it.
# Runs inside new namespaces. Arguments: the root of the system whose /usr it is, a directory to mount the lab's root on, the lab's /etc, the directory for its journal, the one with its programs,
# and any number of NAME=DIRECTORY, each visible as /lab/NAME.
# Then enter.sh.
set -eu
system=${1%/} root=$2 etc=$3 journal=$4 programs=$5
shift 5
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p usr etc proc sys dev run tmp root lab var/log/journal old
mount --bind "$system/usr" usr && mount -o remount,bind,ro usr
for link in bin sbin lib lib64; do [ ! -e usr/$link ] || ln -s usr/$link $link; done
cp -a "$etc/." etc/
[ ! -d "$system/etc/alternatives" ] || cp -a "$system/etc/alternatives" etc/
mount --bind "$programs" lab && mount -o remount,bind,ro lab
for shared; do mount --bind "${shared#*=}" "lab/${shared%%=*}" && mount -o remount,bind,ro "lab/${shared%%=*}"; done
mount --bind "$journal" var/log/journal

. "$(dirname "$0")/enter.sh"

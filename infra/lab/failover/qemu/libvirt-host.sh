#!/bin/sh
# A host's own libvirtd: libvirt-host.sh FOLDER, in a mount namespace of its own (libvirt-host.ts).
set -e
mount --make-rprivate /
for name in run lib etc log cache; do
  case $name in
    run) at=/run/libvirt ;;
    etc) at=/etc/libvirt ;;
    *) at=/var/$name/libvirt ;;
  esac
  mkdir -p "$1/$name" "$at"
  mount --bind "$1/$name" "$at"
done
exec libvirtd -p "$1/libvirtd.pid"

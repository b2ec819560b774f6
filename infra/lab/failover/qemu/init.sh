#!/bin/busybox sh
# /init of the lab's real engine VM: a health page, a disk that is written to, and a power button. See image.ts.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
# The order is that of their dependencies.
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net virtio_blk evdev button; do
  [ -f "/mod/$module.ko" ] && insmod "/mod/$module.ko"
done

word() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

ip link set lo up
ip link set eth0 up
ip addr add "$(word labip)" dev eth0
# The switch and the hosts learn at once where this address is now.
address=$(word labip)
arping -q -c 2 -U -I eth0 "${address%/*}" &
httpd -h /www -p 80
# Whoever reads sector 0 sees who runs: two boots that take turns there are two engine VMs on one disk.
boot=$(cat /proc/sys/kernel/random/boot_id)
(
  n=0
  while :; do
    n=$((n + 1))
    printf '%-511s\n' "boot=$boot host=$(word labhost) pid=$(word labpid) n=$n" |
      dd of=/dev/vda bs=512 count=1 conv=notrunc,fsync 2>/dev/null
    sleep 0.3
  done
) &
echo 'ENGINE UP'
exec acpid -d -c /etc/acpi

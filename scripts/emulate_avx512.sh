#!/usr/bin/env bash
# Runs the C++ tests of the kernels on an emulated processor with AVX-512, for machines without.
#   scripts/emulate_avx512.sh               all of them: a quarter of an hour of an idle core
#   scripts/emulate_avx512.sh 'Gemm.*:Attention.*'   those that this GoogleTest filter names
#
# Bochs knows AVX-512 (QEMU and Valgrind do not) but emulates a whole machine: it boots Debian's
# kernel with an initial file system of busybox and the statically linked tests, whose output comes
# back through the serial port. Some fifty million instructions per second. Nothing is installed
# but what the first line of `packages` names; the kernel is unpacked, not installed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(bochs bochs-term bochsbios vgabios busybox-static cpio isolinux syslinux-common xorriso)
build=build-avx512
work=$build/emulator
kernels='F32Loops.*:RowsF32.*:ChannelsLast.*:ConvNhwc.*:ConvTransposeNhwc.*:PackedRnn.*'
kernels+=':PackedGemm.*:Attention.*:Gemm.*-Gemm.OtherTypes'
filter=${1:-$kernels}

if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
  sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update
  "${sudo[@]}" apt-get install -y --no-install-recommends "${packages[@]}"
fi

scripts/system.sh check build
[ -f $build/build.ninja ] || cmake -S . -B $build -G Ninja -DINGOT_TESTS=ON -DINGOT_PYTHON=OFF \
  -DCMAKE_EXE_LINKER_FLAGS=-static
ninja -C $build ingot-tests

mkdir -p $work/{root/bin,root/dev,root/proc,root/sys,disc}
if ! ls $work/kernel/boot/vmlinuz-* >/dev/null 2>&1; then
  image=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p')
  (cd $work && apt-get download "$image" && dpkg -x "$image"_*.deb kernel)
fi
cp $work/kernel/boot/vmlinuz-* $work/disc/vmlinuz
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 $work/disc/
strip -o $work/root/ingot-tests $build/tests/cpp/ingot-tests
cp /bin/busybox $work/root/bin/busybox
# The last sleep lets the serial port drain.
cat >$work/root/init <<INIT
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
exec >/dev/ttyS0 2>&1
echo "processor: \$(/bin/busybox grep -m1 -o 'avx512.*vl' /proc/cpuinfo)"
INGOT_TEST_SIMD=avx512 /ingot-tests --gtest_color=no --gtest_filter='$filter'
echo "tests ended with \$?"
/bin/busybox sleep 1
/bin/busybox poweroff -f
INIT
chmod +x $work/root/init
(cd $work/root && find . | cpio -o -H newc --quiet) >$work/disc/initrd

# Bochs gives the size of the compacted register area wrongly, whereupon Linux would do without
# AVX; it has no registers that count the processor's frequency. The clock runs with
# the instructions, 100 million to the second; waiting by time stamps would take many times as many.
cat >$work/disc/isolinux.cfg <<CONFIG
default ingot
label ingot
kernel /vmlinuz
append initrd=/initrd console=ttyS0 quiet loglevel=3 nosmp mitigations=off lpj=10000 notsc no_timer_check clearcpuid=xsaves,xsavec,aperfmperf
CONFIG
xorriso -as mkisofs -quiet -o $work/boot.iso -b isolinux.bin -c boot.cat -no-emul-boot \
  -boot-load-size 4 -boot-info-table $work/disc

cat >$work/bochsrc <<CONFIG
display_library: rfb, options="timeout=0"
cpu: model=corei7_skylake_x, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=1024, host=1024
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/serial.log
clock: sync=none
log: $work/bochs.log
panic: action=fatal
error: action=report
info: action=ignore
CONFIG
# Debian's Bochs has its debugger compiled in, which waits for a command.
echo c >$work/commands
: >$work/serial.log
bochs -q -f $work/bochsrc -rc $work/commands </dev/null >$work/bochs.out 2>&1 &
emulator=$!
trap 'kill $emulator 2>/dev/null || true' EXIT
# Ends in the panic that switching off is to Bochs.
tail -n +1 -f --pid=$emulator $work/serial.log
grep -q '^tests ended with 0' $work/serial.log

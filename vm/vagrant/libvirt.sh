# shellcheck shell=bash disable=SC2154 # $logs is of the script that sources this
# Sourced: libvirt's daemon and a storage pool for the test. A daemon that runs already is used and left alone.

pool=tenantrace-lab
pool_dir=/var/lib/libvirt/images/$pool # where the user that qemu runs as can read
libvirt_pids=()
forwarding=

# What a run has made: by names that are the test's alone (see settings.rb), so that a person's own machine is left alone.
libvirt_clear() {
	local command
	for command in "destroy tenantrace-lab-default" "undefine tenantrace-lab-default" "net-destroy $pool" "net-undefine $pool" "pool-destroy $pool"; do
		# shellcheck disable=SC2086 # a command and its argument
		virsh -q -c qemu:///system $command >/dev/null 2>&1 || true
	done
	rm -rf "$pool_dir"
}

libvirt_answers() { virsh -q -c qemu:///system version >/dev/null 2>&1; }

libvirt_start() {
	local deadline name
	forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
	if ! libvirt_answers; then
		mkdir -p /run/libvirt
		for name in virtlogd libvirtd; do
			setsid "$name" >"$logs/$name.log" 2>&1 </dev/null 9>&- &
			libvirt_pids+=($!)
		done
		deadline=$((SECONDS + 60))
		until libvirt_answers; do
			[ "$SECONDS" -lt "$deadline" ] || die "libvirtd does not answer: $(tail -n 5 "$logs/libvirtd.log")"
			sleep 1
		done
	fi
	libvirt_clear # what a run that was killed has left
	mkdir -p "$pool_dir"
	virsh -q -c qemu:///system pool-create-as "$pool" dir --target "$pool_dir" >&2
}

libvirt_stop() {
	! libvirt_answers || libvirt_clear
	if [ ${#libvirt_pids[@]} -gt 0 ]; then
		kill "${libvirt_pids[@]}" 2>/dev/null
		wait "${libvirt_pids[@]}" 2>/dev/null
		# The daemon turned it on for its network.
		[ -z "$forwarding" ] || echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
	fi
}

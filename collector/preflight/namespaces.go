package preflight

import (
	"fmt"
	"os"
)

// The initial namespaces have fixed inodes (include/linux/proc_ns.h, and since Linux 6.18 include/uapi/linux/nsfs.h).
const (
	initialUserNamespace = "user:[4026531837]"
	initialPIDNamespace  = "pid:[4026531836]"
)

// userNamespace: for eBPF, uprobes and other users' processes only capabilities of the initial user namespace count.
func userNamespace() Requirement {
	link, err := os.Readlink("/proc/self/ns/user")
	return judgeNamespace(Requirement{
		Name: "user_namespace", bars: true,
		Remedy: "run as root of the host, outside of rootless or user-remapped containers (docker run --userns=host --privileged)",
	}, initialUserNamespace, "its root and its capabilities do not count for the kernel", link, err)
}

// pidNamespace: the kernel's records name processes by their ids in the initial PID namespace, and they are looked up by these in /proc.
func pidNamespace() Requirement {
	link, err := os.Readlink("/proc/self/ns/pid")
	return judgeNamespace(Requirement{
		Name: "pid_namespace", Remedy: "run in the PID namespace of the host (docker run --pid=host; in Kubernetes hostPID: true)",
	}, initialPIDNamespace, "its process ids are not those that the kernel reports", link, err)
}

// judgeNamespace judges the link of a namespace. A kernel without such namespaces has no link; there everything is in the initial one.
func judgeNamespace(r Requirement, initial, why, link string, err error) Requirement {
	r.OK = os.IsNotExist(err) && procMounted() || err == nil && link == initial
	switch {
	case r.OK:
		r.Detail = "the initial one"
	case err != nil:
		r.Detail = err.Error()
		r.Remedy = "mount proc (mount -t proc proc /proc); " + r.Remedy
	default:
		r.Detail = fmt.Sprintf("%s is not the initial one: %s", link, why)
	}
	return r
}

func procMounted() bool {
	_, err := os.Stat("/proc/self/status")
	return err == nil
}

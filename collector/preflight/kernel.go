package preflight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// minMajor and minMinor are the oldest kernel that has the ring buffer, BTF-based relocation and the helpers that the programs call.
const minMajor, minMinor = 5, 10

func kernelVersion() Requirement {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return judgeRelease("", err)
	}
	return judgeRelease(unix.ByteSliceToString(u.Release[:]), nil)
}

func judgeRelease(release string, err error) Requirement {
	r := Requirement{Name: "kernel", Remedy: fmt.Sprintf("boot a kernel of version %d.%d or later", minMajor, minMinor), bars: true}
	if err != nil {
		r.Detail = fmt.Sprintf("uname: %v", err)
		return r
	}
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		r.Detail = fmt.Sprintf("release %q is not a version", release)
		return r
	}
	r.OK = major > minMajor || major == minMajor && minor >= minMinor
	r.Detail = release
	if !r.OK {
		r.Detail += " is too old"
	}
	return r
}

const (
	sysfs = "/sys"
	// btfPath is the running kernel's own type information.
	btfPath = sysfs + "/kernel/btf/vmlinux"
	// uprobePMU is the perf event source of uprobes.
	uprobePMU = sysfs + "/bus/event_source/devices/uprobe/type"
)

func typeInformation() Requirement {
	_, err := os.Stat(btfPath)
	return judgeSysfs(Requirement{Name: "btf", Detail: btfPath}, "no type information of the kernel", "CONFIG_DEBUG_INFO_BTF=y", err, sysfsMounted())
}

func uprobes() Requirement {
	_, err := os.Stat(uprobePMU)
	return judgeSysfs(Requirement{Name: "uprobes", Detail: "perf event source"}, "no uprobes", "CONFIG_UPROBE_EVENTS=y", err, sysfsMounted())
}

// judgeSysfs judges what a kernel of this configuration shows in sysfs, by the error of looking at it.
func judgeSysfs(r Requirement, lack, configuration string, err error, mounted bool) Requirement {
	r.OK, r.bars = err == nil, true
	r.Remedy = "boot a kernel with " + configuration
	if err == nil {
		return r
	}
	r.Detail = fmt.Sprintf("%s: %v", lack, err)
	switch {
	case !mounted:
		r.Detail += ", sysfs is not mounted"
		r.Remedy = fmt.Sprintf("mount sysfs (mount -t sysfs sysfs %s); if it is missing then, %s", sysfs, r.Remedy)
	case !errors.Is(err, fs.ErrNotExist):
		r.Remedy = fmt.Sprintf("let this process read %s", sysfs)
	}
	return r
}

func sysfsMounted() bool {
	var s unix.Statfs_t
	return unix.Statfs(sysfs, &s) == nil && s.Type == unix.SYSFS_MAGIC
}

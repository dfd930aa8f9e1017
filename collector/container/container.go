// Package container reads from a host's own files which container a process is in: the control group names the container and the pod, and
// the runtimes and the kubelet keep files about both. No runtime and no cluster is asked.
package container

import (
	"os"
	"path/filepath"
	"strings"
)

// Info is what a host's files say of a container. What they do not say is "".
type Info struct {
	ID        string // 64 hex digits
	Image     string // as the runtime names it
	Namespace string // of the pod
	Pod       string
	Name      string // of the container in its pod
}

// Host is the root directory of the host whose files are read, "/".
type Host string

// Of finds out about the container of a control group; false if it is none's.
func (h Host) Of(cgroup string) (Info, bool) {
	info := Info{ID: ID(cgroup)}
	if info.ID == "" {
		return info, false
	}
	h.ofDocker(&info)
	h.ofBundle(&info)
	h.ofStorage(&info)
	h.ofKubelet(&info, PodUID(cgroup))
	return info, true
}

// idDigits is the length of a container's id: Docker, containerd's CRI plug-in, CRI-O and Podman all take 64 hex digits.
const idDigits = 64

// ID returns the container of a control group, "" if it is none's. A container inside a container is nothing that the host's runtime knows: the
// outer one counts.
func ID(cgroup string) string {
	for element := range strings.SplitSeq(cgroup, "/") {
		element = strings.TrimSuffix(element, ".scope")
		if i := strings.LastIndexByte(element, '-'); i >= 0 { // docker-, cri-containerd-, crio-, libpod-
			if strings.HasSuffix(element[:i], "conmon") {
				continue // the monitor beside the container
			}
			element = element[i+1:]
		}
		if len(element) == idDigits && isHex(element) {
			return element
		}
	}
	return ""
}

// PodUID returns the uid of the pod of a control group as the kubelet names its directories, "" without one. A pod of a static manifest has 32 hex digits.
func PodUID(cgroup string) string {
	for element := range strings.SplitSeq(cgroup, "/") {
		uid, slice := strings.CutSuffix(element, ".slice")
		i := strings.LastIndex(uid, "pod")
		if i < 0 || !slice && i != 0 {
			continue
		}
		uid = strings.ReplaceAll(uid[i+len("pod"):], "_", "-")
		if n := len(uid); (n == 36 || n == 32) && isHex(strings.ReplaceAll(uid, "-", "")) {
			return uid
		}
	}
	return ""
}

func isHex(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// Bounds of the files, in bytes.
const (
	maxConfig  = 4 << 20
	maxStorage = 64 << 20
)

// read returns a regular file of at most most bytes, nil if it is not there or is something else.
func (h Host) read(name string, most int64) []byte {
	name = filepath.Join(string(h), name)
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() || info.Size() > most {
		return nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	return data
}

// glob lists files by a pattern below the root.
func (h Host) glob(pattern string) []string {
	names, err := filepath.Glob(filepath.Join(string(h), pattern))
	if err != nil {
		return nil
	}
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, strings.TrimSuffix(string(h), "/"))
	}
	return names
}

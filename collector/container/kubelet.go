package container

import (
	"path"
	"strings"
)

// ofKubelet reads the names of the kubelet's log files: /var/log/pods/NAMESPACE_POD_UID is there before a container starts, the link
// /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log shortly after.
func (h Host) ofKubelet(info *Info, uid string) {
	if uid != "" {
		for _, name := range h.glob("/var/log/pods/*_*_" + uid) {
			parsePodLog(info, path.Base(name), uid)
		}
	}
	for _, name := range h.glob("/var/log/containers/*_*_*-" + info.ID + ".log") {
		parseContainerLog(info, path.Base(name))
	}
}

// Names of namespaces and containers are DNS labels and those of pods DNS subdomains: none has an underscore.
func parsePodLog(info *Info, name, uid string) {
	parts := strings.Split(strings.TrimSuffix(name, "_"+uid), "_")
	if len(parts) == 2 {
		info.add(Info{Namespace: parts[0], Pod: parts[1]})
	}
}

func parseContainerLog(info *Info, name string) {
	parts := strings.Split(strings.TrimSuffix(name, "-"+info.ID+".log"), "_")
	if len(parts) == 3 {
		info.add(Info{Pod: parts[0], Namespace: parts[1], Name: parts[2]})
	}
}

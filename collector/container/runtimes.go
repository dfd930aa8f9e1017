package container

import "encoding/json"

// Labels of the kubelet on containers of Docker (k8s.io/kubelet/pkg/types/labels.go).
const (
	labelNamespace = "io.kubernetes.pod.namespace"
	labelPod       = "io.kubernetes.pod.name"
	labelName      = "io.kubernetes.container.name"
)

// ofDocker reads Docker's own file about a container.
func (h Host) ofDocker(info *Info) {
	if data := h.read("/var/lib/docker/containers/"+info.ID+"/config.v2.json", maxConfig); data != nil {
		parseDocker(info, data)
	}
}

func parseDocker(info *Info, data []byte) {
	var file struct {
		Config struct {
			Image  string
			Labels map[string]string
		}
	}
	if json.Unmarshal(data, &file) == nil {
		labels := file.Config.Labels
		info.add(Info{Image: file.Config.Image, Namespace: labels[labelNamespace], Pod: labels[labelPod], Name: labels[labelName]})
	}
}

// bundles are where runtimes keep the OCI configuration of running containers: containerd (any namespace), that of k3s and of MicroK8s, and CRI-O and Podman.
var bundles = []string{
	"/run/containerd/io.containerd.runtime.v2.task/*/",
	"/run/k3s/containerd/io.containerd.runtime.v2.task/*/",
	"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/*/",
	"/run/containers/storage/*-containers/",
	"/var/lib/containers/storage/*-containers/",
}

// ofBundle reads the OCI configuration of a container, whose annotations name the image and the pod.
func (h Host) ofBundle(info *Info) {
	for _, dir := range bundles {
		for _, at := range []string{"/config.json", "/userdata/config.json"} {
			for _, name := range h.glob(dir + info.ID + at) {
				if data := h.read(name, maxConfig); data != nil {
					parseBundle(info, data)
				}
			}
		}
	}
}

// parseBundle reads annotations: those of containerd (pkg/cri/annotations, image-name since 1.5) and of CRI-O (pkg/annotations).
func parseBundle(info *Info, data []byte) {
	var file struct{ Annotations map[string]string }
	if json.Unmarshal(data, &file) != nil {
		return
	}
	a := file.Annotations
	info.add(Info{
		Image: a["io.kubernetes.cri.image-name"], Namespace: a["io.kubernetes.cri.sandbox-namespace"], Pod: a["io.kubernetes.cri.sandbox-name"],
		Name: a["io.kubernetes.cri.container-name"],
	})
	info.add(Info{Image: a["io.kubernetes.cri-o.ImageName"], Namespace: a[labelNamespace], Pod: a[labelPod], Name: a[labelName]})
}

// ofStorage reads the list of containers of containers/storage, which Podman and CRI-O use.
func (h Host) ofStorage(info *Info) {
	for _, name := range h.glob("/var/lib/containers/storage/*-containers/*containers.json") {
		if info.Image != "" {
			return
		}
		if data := h.read(name, maxStorage); data != nil {
			parseStorage(info, data)
		}
	}
	for _, name := range h.glob("/run/containers/storage/*-containers/*containers.json") { // of containers that are gone after a boot
		if info.Image != "" {
			return
		}
		if data := h.read(name, maxStorage); data != nil {
			parseStorage(info, data)
		}
	}
}

func parseStorage(info *Info, data []byte) {
	var file []struct{ ID, Metadata string }
	if json.Unmarshal(data, &file) != nil {
		return
	}
	for _, c := range file {
		if c.ID != info.ID {
			continue
		}
		var metadata struct {
			Image string `json:"image-name"`
		}
		if json.Unmarshal([]byte(c.Metadata), &metadata) == nil {
			info.add(Info{Image: metadata.Image})
		}
	}
}

// add fills in what is not known yet.
func (i *Info) add(more Info) {
	for _, f := range [...]struct {
		to   *string
		from string
	}{{&i.Image, more.Image}, {&i.Namespace, more.Namespace}, {&i.Pod, more.Pod}, {&i.Name, more.Name}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
}

package container

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	id    = "60a6e7c1d342022d84d2a0599dbdb0ee97e22bf3ebfcc6bdd009c1c216c02601"
	other = "5cb98db9b9cc29947e63db115dce22f0d146046ee2a094919a2ddb38bc685dad"
	uid   = "8f14e45f-ceea-467f-a0e6-4f1b7f1b2c3d"
	under = "8f14e45f_ceea_467f_a0e6_4f1b7f1b2c3d"
)

func TestCgroups(t *testing.T) {
	for _, c := range []struct{ cgroup, id, pod string }{
		{"/system.slice/docker-" + id + ".scope", id, ""},
		{"/docker/" + id, id, ""},
		{"/machine.slice/libpod-" + id + ".scope/container", id, ""},
		{"/machine.slice/libpod-conmon-" + id + ".scope", "", ""},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + under + ".slice/cri-containerd-" + id + ".scope", id, uid},
		{"/kubepods.slice/kubepods-pod" + under + ".slice/crio-" + id + ".scope", id, uid},
		{"/kubepods.slice/kubepods-pod" + under + ".slice/crio-conmon-" + id + ".scope", "", uid},
		{"/kubepods/besteffort/pod" + uid + "/" + id, id, uid},
		{"/kubepods/burstable/pod" + id[:32] + "/" + id, id, id[:32]},
		{"/docker/" + id + "/kubelet/kubepods/pod" + uid + "/" + other, id, uid},
		{"/system.slice/billing.service", "", ""},
		{"/user.slice/user-1000.slice/pod" + uid[1:], "", ""},
		{"/system.slice/docker-" + strings.ToUpper(id) + ".scope", "", ""},
		{"/kubepods/podlike-" + uid, "", ""}, {"/", "", ""}, {"", "", ""},
	} {
		if got := ID(c.cgroup); got != c.id {
			t.Errorf("%q is of container %q, want %q", c.cgroup, got, c.id)
		}
		if got := PodUID(c.cgroup); got != c.pod {
			t.Errorf("%q is of pod %q, want %q", c.cgroup, got, c.pod)
		}
	}
}

// host makes a root directory with files; a text "->x" makes a link.
func host(t *testing.T, files map[string]string) Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(text, "->"); link {
			err = os.Symlink(target, name)
		} else {
			err = os.WriteFile(name, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Host(root)
}

const (
	// Written by podman 4.3.1: podman import, podman create.
	podmanList = `[{"id":"` + other + `","names":["x"],"metadata":"{\"image-name\":\"registry.example/other:1\"}"},{"id":"` + id + `","names":["web"],` +
		`"image":"5cb98db9b9cc29947e63db115dce22f0d146046ee2a094919a2ddb38bc685dad","layer":"59330e4e6ecacca8abf9dc54e4e53f1e9807b7d911bdc30e65b28fe2c634a179",` +
		`"metadata":"{\"image-name\":\"registry.example/shop/web:1.4\",\"image-id\":\"5cb98db9b9cc29947e63db115dce22f0d146046ee2a094919a2ddb38bc685dad\",` +
		`\"name\":\"web\",\"created-at\":1795538219}","created":"2026-11-24T16:36:59.533679621Z","flags":{"MountLabel":"","ProcessLabel":""}}]`
	dockerConfig = `{"ID":"` + id + `","Image":"sha256:5cb9","Name":"/web","Config":{"Hostname":"x","Image":"nginx:1.25","Labels":{}}}`
	dockerPod    = `{"Config":{"Image":"nginx@sha256:5cb9","Labels":{"io.kubernetes.container.name":"web","io.kubernetes.pod.name":"shop-0","io.kubernetes.pod.namespace":"prod"}}}`
	containerd   = `{"ociVersion":"1.0.2","process":{"args":["x"]},"annotations":{"io.kubernetes.cri.container-name":"web","io.kubernetes.cri.container-type":"container",` +
		`"io.kubernetes.cri.image-name":"registry.example/shop/web:1.4","io.kubernetes.cri.sandbox-name":"shop-6c857864fb-z88p2","io.kubernetes.cri.sandbox-namespace":"prod"}}`
	crio = `{"annotations":{"io.kubernetes.cri-o.ImageName":"registry.example/shop/web:1.4","io.kubernetes.pod.name":"shop-0","io.kubernetes.pod.namespace":"prod","io.kubernetes.container.name":"web"}}`
)

func TestRuntimes(t *testing.T) {
	const docker, kube = "/system.slice/docker-" + id + ".scope", "/kubepods.slice/kubepods-pod" + under + ".slice/cri-containerd-" + id + ".scope"
	podLog, link := "/var/log/pods/prod_shop-0_"+uid+"/web/0.log", "/var/log/containers/shop-0_prod_web-"+id+".log"
	for name, c := range map[string]struct {
		cgroup string
		files  map[string]string
		want   Info
	}{
		"docker":           {docker, map[string]string{"/var/lib/docker/containers/" + id + "/config.v2.json": dockerConfig}, Info{Image: "nginx:1.25"}},
		"docker, a pod":    {kube, map[string]string{"/var/lib/docker/containers/" + id + "/config.v2.json": dockerPod}, Info{Image: "nginx@sha256:5cb9", Namespace: "prod", Pod: "shop-0", Name: "web"}},
		"podman":           {"/machine.slice/libpod-" + id + ".scope", map[string]string{"/var/lib/containers/storage/overlay-containers/containers.json": podmanList}, Info{Image: "registry.example/shop/web:1.4"}},
		"podman --rm":      {"/machine.slice/libpod-" + id + ".scope", map[string]string{"/var/lib/containers/storage/overlay-containers/containers.json": "[]", "/run/containers/storage/overlay-containers/volatile-containers.json": podmanList}, Info{Image: "registry.example/shop/web:1.4"}},
		"containerd":       {kube, map[string]string{"/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + id + "/config.json": containerd}, Info{Image: "registry.example/shop/web:1.4", Namespace: "prod", Pod: "shop-6c857864fb-z88p2", Name: "web"}},
		"k3s":              {kube, map[string]string{"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" + id + "/config.json": containerd}, Info{Image: "registry.example/shop/web:1.4", Namespace: "prod", Pod: "shop-6c857864fb-z88p2", Name: "web"}},
		"cri-o":            {kube, map[string]string{"/run/containers/storage/overlay-containers/" + id + "/userdata/config.json": crio}, Info{Image: "registry.example/shop/web:1.4", Namespace: "prod", Pod: "shop-0", Name: "web"}},
		"kubelet alone":    {kube, map[string]string{podLog: "", link: "->" + podLog, "/var/log/pods/x_y_" + id[:32] + "/web/0.log": ""}, Info{Namespace: "prod", Pod: "shop-0", Name: "web"}},
		"before its link":  {kube, map[string]string{podLog: ""}, Info{Namespace: "prod", Pod: "shop-0"}},
		"link alone":       {"/docker/" + id, map[string]string{link: "->" + podLog}, Info{Namespace: "prod", Pod: "shop-0", Name: "web"}},
		"another's":        {docker, map[string]string{"/var/lib/docker/containers/" + other + "/config.v2.json": dockerConfig, "/var/log/containers/shop-0_prod_web-" + other + ".log": "->x"}, Info{}},
		"broken":           {docker, map[string]string{"/var/lib/docker/containers/" + id + "/config.v2.json": dockerConfig[:40], "/run/containerd/io.containerd.runtime.v2.task/moby/" + id + "/config.json": "[1]"}, Info{}},
		"a pipe of a name": {kube, map[string]string{"/var/log/pods/a_b_c_d_" + uid + "/x": ""}, Info{}},
	} {
		got, ok := host(t, c.files).Of(c.cgroup)
		c.want.ID = id
		if !ok || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, ok, c.want)
		}
	}
	if info, ok := Host(t.TempDir()).Of("/system.slice/x.service"); ok {
		t.Errorf("a service is in container %+v", info)
	}
}

// FuzzFiles holds that no content of a runtime's files, and no name, is more than text.
func FuzzFiles(f *testing.F) {
	for _, text := range []string{podmanList, dockerConfig, dockerPod, containerd, crio, "shop-0_prod_web-" + id + ".log", "/kubepods/burstable/pod" + uid + "/" + id, "[{}]", "{\"annotations\":{\"x\":1}}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info := Info{ID: id}
		parseDocker(&info, data)
		parseBundle(&info, data)
		parseStorage(&info, data)
		parsePodLog(&info, string(data), uid)
		parseContainerLog(&info, string(data))
		if info.ID != id {
			t.Errorf("the id became %q", info.ID)
		}
		if got := ID(string(data)); got != "" && (len(got) != idDigits || !isHex(got)) {
			t.Errorf("container %q", got)
		}
		if got := PodUID(string(data)); strings.ContainsAny(got, "/*?[_.") {
			t.Errorf("pod %q", got) // it is put into a pattern of file names
		}
	})
}

package procfs

import (
	"os"
	"strings"
	"testing"
)

const maps = `55d0c5e00000-55d0c5e01000 r--p 00000000 fe:01 100                        /usr/bin/x
55d0c5e01000-55d0c5e02000 r-xp 00001000 fe:01 100                        /usr/bin/x
7f0000000000-7f0000001000 r-xp 00000000 fe:01 200                        /lib/with space (deleted)
7f0000001000-7f0000002000 r-xp 00001000 fe:01 200                        /lib/with space (deleted)
7f0000002000-7f0000003000 rwxp 00000000 00:00 0
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
`

func TestParseMaps(t *testing.T) {
	got, err := parseMaps(strings.NewReader(maps))
	if err != nil {
		t.Fatal(err)
	}
	want := []Mapping{
		{0x55d0c5e01000, 0x55d0c5e02000, 0xfe<<20 | 1, 100, 0x1000, "/usr/bin/x"},
		{0x7f0000000000, 0x7f0000001000, 0xfe<<20 | 1, 200, 0, "/lib/with space (deleted)"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("mapping %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
}

func TestUnitOf(t *testing.T) {
	for cgroup, want := range map[string]string{
		"0::/system.slice/billing.service\n":                             "billing",
		"0::/system.slice/system-web.slice/web@1.service/worker\n":       "web@1",
		"0::/user.slice/user-0.slice/user@0.service/app.slice/x.scope\n": "",
		"12:cpu:/a.service\n1:name=systemd:/system.slice/b.service\n":    "b",
		"0::/\n": "",
		"junk":   "",
	} {
		if got := Unit(cgroupOf(cgroup)); got != want {
			t.Errorf("Unit(%q) = %q, want %q", cgroup, got, want)
		}
	}
}

func TestCgroupOf(t *testing.T) {
	for lines, want := range map[string]string{
		"0::/system.slice/a.service\n":                                         "/system.slice/a.service",
		"12:cpu:/x\n1:name=systemd:/system.slice/b.service\n0::/\n":            "/system.slice/b.service", // a hybrid set-up
		"0::/kubepods.slice/pod1/c1\n1:name=systemd:/kubepods/pod1/c1\n":       "/kubepods.slice/pod1/c1",
		"0::/system.slice/a.service\n1:name=systemd:/system.slice/b.service\n": "/system.slice/a.service",
		"0::/with:colon\n": "/with:colon",
		"junk":             "",
	} {
		if got := cgroupOf(lines); got != want {
			t.Errorf("cgroupOf(%q) = %q, want %q", lines, got, want)
		}
	}
	if got := FS("/proc").Cgroup(uint32(os.Getpid())); !strings.HasPrefix(got, "/") {
		t.Errorf("own control group %q", got)
	}
	if got := FS(t.TempDir()).Cgroup(1); got != "" {
		t.Errorf("control group of no process: %q", got)
	}
}

func TestOwnProcess(t *testing.T) {
	fs, pid := FS("/proc"), uint32(os.Getpid())
	mappings, err := fs.ExecutableMappings(pid)
	if err != nil || len(mappings) == 0 {
		t.Fatalf("own mappings: %v, %v", mappings, err)
	}
	exe, err := fs.Executable(pid)
	if err != nil || mappings[0].Path != exe {
		t.Errorf("first executable mapping %q, executable %q, %v", mappings[0].Path, exe, err)
	}
	stat, err := fs.Stat(pid)
	if err != nil || stat.Parent != uint32(os.Getppid()) || stat.Start == 0 {
		t.Errorf("stat %+v, %v; want parent %d", stat, err, os.Getppid())
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add(maps)
	f.Add("1-2 r-xp 0 1:2 3 /x\n")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseMaps(strings.NewReader(s))
		if err != nil {
			return
		}
		for _, m := range got {
			if m.Inode == 0 {
				t.Errorf("mapping without a file: %+v", m)
			}
		}
	})
}

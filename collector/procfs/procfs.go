// Package procfs reads what /proc tells of processes: their executable mappings, their executable and the service that they belong to.
package procfs

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Mapping is one executable mapping of a file (proc_pid_maps(5)).
type Mapping struct {
	Start, End uint64
	Device     uint32 // as the kernel numbers it: major << 20 | minor
	Inode      uint64
	Offset     uint64 // in the file, of Start
	Path       string // as the process sees it; " (deleted)" is part of it
}

// maxMaps bounds what is read of one process's maps, in bytes.
const maxMaps = 64 << 20

// FS is a mounted proc file system, "/proc".
type FS string

// ExecutableMappings returns the executable file mappings of a process, each file once.
func (fs FS) ExecutableMappings(pid uint32) ([]Mapping, error) {
	f, err := os.Open(fs.file(pid, "maps"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseMaps(io.LimitReader(f, maxMaps))
}

func (fs FS) file(pid uint32, name string) string {
	return path.Join(string(fs), strconv.FormatUint(uint64(pid), 10), name)
}

// parseMaps reads "start-end perms offset major:minor inode path" lines.
func parseMaps(r io.Reader) ([]Mapping, error) {
	type key struct {
		device uint32
		inode  uint64
	}
	var out []Mapping
	seen := map[key]bool{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 64<<10)
	for lines.Scan() {
		m, ok, err := parseMapping(lines.Bytes())
		if err != nil {
			return nil, err
		}
		k := key{m.Device, m.Inode}
		if !ok || seen[k] {
			continue
		}
		seen[k] = true
		out = append(out, m)
	}
	return out, lines.Err()
}

func parseMapping(line []byte) (Mapping, bool, error) {
	f := bytes.Fields(line)
	if len(f) < 5 || len(f[1]) != 4 {
		return Mapping{}, false, fmt.Errorf("maps line %q: fewer fields than expected", line)
	}
	if f[1][2] != 'x' || len(f) < 6 {
		return Mapping{}, false, nil
	}
	start, end, ok := bytes.Cut(f[0], []byte("-"))
	major, minor, ok2 := bytes.Cut(f[3], []byte(":"))
	if !ok || !ok2 {
		return Mapping{}, false, fmt.Errorf("maps line %q: no range or no device", line)
	}
	var m Mapping
	var a, b uint64
	var errs [6]error
	m.Start, errs[0] = strconv.ParseUint(string(start), 16, 64)
	m.End, errs[1] = strconv.ParseUint(string(end), 16, 64)
	a, errs[2] = strconv.ParseUint(string(major), 16, 12)
	b, errs[3] = strconv.ParseUint(string(minor), 16, 20)
	m.Inode, errs[4] = strconv.ParseUint(string(f[4]), 10, 64)
	m.Offset, errs[5] = strconv.ParseUint(string(f[2]), 16, 64)
	for _, err := range errs {
		if err != nil {
			return Mapping{}, false, fmt.Errorf("maps line %q: %w", line, err)
		}
	}
	m.Device = uint32(a<<20 | b)
	m.Path = string(line[bytes.Index(line, f[5]):])
	return m, m.Inode != 0, nil
}

// OpenMapping opens the mapped file itself, whatever its path names by now: a deleted or replaced file, or one of a container. It needs
// CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE.
func (fs FS) OpenMapping(pid uint32, m Mapping) (*os.File, error) {
	return os.Open(fs.file(pid, fmt.Sprintf("map_files/%x-%x", m.Start, m.End)))
}

// Memory opens the memory of a process: offsets are addresses. It needs CAP_SYS_PTRACE.
func (fs FS) Memory(pid uint32) (*os.File, error) { return os.Open(fs.file(pid, "mem")) }

// Executable returns the path of a process's executable as the kernel names it, without the " (deleted)" mark.
func (fs FS) Executable(pid uint32) (string, error) {
	p, err := os.Readlink(fs.file(pid, "exe"))
	return strings.TrimSuffix(p, " (deleted)"), err
}

// Name returns a process's comm.
func (fs FS) Name(pid uint32) (string, error) {
	b, err := os.ReadFile(fs.file(pid, "comm"))
	return strings.TrimSuffix(string(b), "\n"), err
}

// Cgroup returns the path of a process's control group: in the unified hierarchy, else in systemd's own (cgroups(7)). "" if there is none.
func (fs FS) Cgroup(pid uint32) string {
	b, err := os.ReadFile(fs.file(pid, "cgroup"))
	if err != nil {
		return ""
	}
	return cgroupOf(string(b))
}

// cgroupOf finds the path in lines "hierarchy:controllers:path". In a hybrid set-up systemd's own hierarchy knows the units, and the unified one is
// empty or holds the same.
func cgroupOf(lines string) string {
	found := ""
	for line := range strings.Lines(lines) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || (parts[0] != "0" && parts[1] != "name=systemd") {
			continue
		}
		if found == "" || Unit(found) == "" && Unit(parts[2]) != "" {
			found = parts[2]
		}
	}
	return found
}

// Service names the service of a process: the innermost systemd unit of its control group without ".service", else the base name of exe.
func Service(cgroup, exe string) string {
	if unit := Unit(cgroup); unit != "" {
		return unit
	}
	return path.Base(exe)
}

// Unit returns the innermost systemd unit of a control group without ".service", "" if there is none.
func Unit(cgroup string) string {
	elements := strings.Split(cgroup, "/")
	for i := len(elements) - 1; i >= 0; i-- {
		if unit, ok := strings.CutSuffix(elements[i], ".service"); ok && !strings.HasPrefix(unit, "user@") {
			return unit
		}
	}
	return ""
}

// Processes lists the process ids.
func (fs FS) Processes() ([]uint32, error) {
	entries, err := os.ReadDir(string(fs))
	if err != nil {
		return nil, err
	}
	var pids []uint32
	for _, e := range entries {
		if pid, err := strconv.ParseUint(e.Name(), 10, 32); err == nil {
			pids = append(pids, uint32(pid))
		}
	}
	return pids, nil
}

// Booted returns when the host was started, by its clock of now (proc_stat(5), btime).
func (fs FS) Booted() (time.Time, error) {
	b, err := os.ReadFile(path.Join(string(fs), "stat"))
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("time of the start in %q: %w", path.Join(string(fs), "stat"), err)
			}
			return time.Unix(seconds, 0), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q does not say when the host was started", path.Join(string(fs), "stat"))
}

// Stat is what identifies a process over time.
type Stat struct {
	Parent uint32
	Start  uint64 // clock ticks since boot: with the id, unique
}

// Stat reads /proc/PID/stat (proc_pid_stat(5)); the name in parentheses may hold anything.
func (fs FS) Stat(pid uint32) (Stat, error) {
	b, err := os.ReadFile(fs.file(pid, "stat"))
	if err != nil {
		return Stat{}, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 20 {
		return Stat{}, fmt.Errorf("stat of process %d: %d fields after the name, want 20", pid, len(f))
	}
	parent, err := strconv.ParseUint(f[1], 10, 32)
	if err != nil {
		return Stat{}, fmt.Errorf("stat of process %d: parent: %w", pid, err)
	}
	start, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return Stat{}, fmt.Errorf("stat of process %d: start time: %w", pid, err)
	}
	return Stat{Parent: uint32(parent), Start: start}, nil
}

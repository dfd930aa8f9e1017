package daemon

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tenantrace/collector/procfs"
)

// maxPIDFile is the longest pid file that is read, in bytes.
const maxPIDFile = 4096

// clockTicks are the parts of a second in which /proc tells when a process began (USER_HZ, proc_pid_stat(5)): the same on all architectures of Linux
// that are supported.
const clockTicks = 100

// slack is how much later than its file a process may seem to have begun: the clocks of files and of processes are not read at one moment.
const slack = 2 * time.Second

// pidFile is a file that holds a process's id.
type pidFile struct {
	path  string
	seen  stamp
	pid   uint32 // 0: it names no process
	start uint64 // of the process: with its id, what it is
	fault string // why it names none; "" if it was never there
}

// refresh reads the file again if it has changed, and tells whether it names another process. A file that is gone names what it named last: its process may
// still end its work.
func (f *pidFile) refresh(fs procfs.FS) bool {
	now := stampOf(f.path)
	if now == f.seen || now == (stamp{}) {
		return false
	}
	pid, start := f.pid, f.start
	f.seen, f.pid, f.start, f.fault = now, 0, 0, ""
	if err := f.read(fs); err != nil {
		f.fault = err.Error()
	}
	return f.pid != pid || f.start != start
}

func (f *pidFile) read(fs procfs.FS) error {
	file, err := os.OpenFile(f.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(file, maxPIDFile))
	if err != nil {
		return err
	}
	pid, err := parsePID(data)
	if err != nil {
		return err
	}
	stat, err := fs.Stat(pid)
	if err != nil {
		return fmt.Errorf("process %d, which it names, is not there", pid)
	}
	booted, err := fs.Booted()
	if err != nil {
		return err
	}
	begun := booted.Add(time.Duration(stat.Start) * (time.Second / clockTicks))
	if begun.After(info.ModTime().Add(slack)) {
		return fmt.Errorf("process %d, which it names, began after the file was written: it is another's by now", pid)
	}
	f.pid, f.start = pid, stat.Start
	return nil
}

// parsePID reads the first line of a pid file, which has the id alone (PostgreSQL and others write more lines).
func parsePID(data []byte) (uint32, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	text := strings.TrimSpace(string(line))
	pid, err := strconv.ParseUint(text, 10, 31)
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("its first line is no process id")
	}
	return uint32(pid), nil
}

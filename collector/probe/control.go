package probe

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"tenantrace/bpf"
)

// controlProgram does what the methods of this file ask for.
const controlProgram = "run_control"

// ask has an operation done and gives the answer; a refusal is an errno.
func (p *Programs) ask(operation bpf.TracerControlOperation, c bpf.TracerControl) (bpf.TracerControl, error) {
	c.Operation = uint32(operation)
	if _, err := p.control.Run(&ebpf.RunOptions{Context: &c, ContextOut: &c}); err != nil {
		return c, fmt.Errorf("run program %q: %w", controlProgram, err)
	}
	if c.Result != 0 {
		return c, unix.Errno(-c.Result)
	}
	return c, nil
}

// Trace adds a process, and tells whether it was not traced already. One that has ended meanwhile stays: nobody is told of its end again.
func (p *Programs) Trace(pid uint32) (added bool, err error) {
	if p.features.Control {
		_, err = p.ask(bpf.TracerControlOperationCONTROL_TRACE, bpf.TracerControl{Pid: pid})
	} else {
		err = p.objects.Processes.Update(pid, bpf.TracerTracedProcess{Announced: 1}, ebpf.UpdateNoExist)
	}
	if errors.Is(err, ebpf.ErrKeyExist) || errors.Is(err, unix.EEXIST) {
		return false, nil
	}
	return err == nil, err
}

// Untrace removes a process.
func (p *Programs) Untrace(pid uint32) error {
	if p.features.Control {
		_, err := p.ask(bpf.TracerControlOperationCONTROL_UNTRACE, bpf.TracerControl{Pid: pid})
		return ignoreMissing(err)
	}
	return ignoreMissing(p.objects.Processes.Delete(pid))
}

// Lost gives the number of records of a process that were lost, modulo 2^32, and whether it is traced. Where the kernel cannot be asked it is taken to be:
// else every process would seem to have ended.
func (p *Programs) Lost(pid uint32) (uint32, bool) {
	if p.features.Control {
		c, err := p.ask(bpf.TracerControlOperationCONTROL_LOST, bpf.TracerControl{Pid: pid})
		return c.Lost, !errors.Is(err, unix.ENOENT)
	}
	var t bpf.TracerTracedProcess
	err := p.objects.Processes.Lookup(pid, &t)
	return t.Lost, !errors.Is(err, ebpf.ErrKeyNotExist)
}

// FileKey names a file to the kernel side.
type FileKey struct {
	Device uint32
	Inode  uint64
}

// MarkFile tells the kernel side what was found in an open file, and gives the numbers under which it knows the file. Where the kernel can be asked, that takes
// them from the file itself: those of /proc may be another's (an overlay's, before Linux 6.7). Elsewhere they are the given ones, and the file's generation is
// that of the mapping that announced it, else of the next one.
func (p *Programs) MarkFile(f *os.File, numbers FileKey, state bpf.TracerFileState) (FileKey, error) {
	if p.features.Control {
		c, err := p.ask(bpf.TracerControlOperationCONTROL_MARK_FILE, bpf.TracerControl{Fd: int32(f.Fd()), State: uint32(state)})
		return FileKey{c.Device, c.Inode}, err
	}
	key := bpf.TracerFileKey{Inode: numbers.Inode, Device: numbers.Device}
	var mark bpf.TracerFileMark
	if err := p.objects.Files.Lookup(key, &mark); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return numbers, err
	}
	mark.State = uint32(state)
	return numbers, p.objects.Files.Update(key, mark, ebpf.UpdateAny)
}

// ForgetFile makes the kernel side announce the file at its next mapping.
func (p *Programs) ForgetFile(key FileKey) error {
	device, inode := key.Device, key.Inode
	if p.features.Control {
		_, err := p.ask(bpf.TracerControlOperationCONTROL_FORGET_FILE, bpf.TracerControl{Device: device, Inode: inode})
		return ignoreMissing(err)
	}
	return ignoreMissing(p.objects.Files.Delete(bpf.TracerFileKey{Inode: inode, Device: device}))
}

// Seek switches on or off that what a process's sockets receive is shown to the probes of AttachReader. It does nothing for one that is not traced.
func (p *Programs) Seek(pid uint32, on bool) error {
	state := boolean(on)
	if p.features.Control {
		_, err := p.ask(bpf.TracerControlOperationCONTROL_SEEK, bpf.TracerControl{Pid: pid, State: state})
		return ignoreMissing(err)
	}
	var t bpf.TracerTracedProcess
	if err := p.objects.Processes.Lookup(pid, &t); err != nil {
		return ignoreMissing(err)
	}
	t.Seeking = state // a record that is lost between the two calls is not counted for the process
	return ignoreMissing(p.objects.Processes.Update(pid, t, ebpf.UpdateExist))
}

func ignoreMissing(err error) error {
	if errors.Is(err, ebpf.ErrKeyNotExist) || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

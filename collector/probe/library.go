package probe

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"tenantrace/bpf"
)

// Call is a function to probe at its entry and at its return.
type Call struct {
	Symbol         string
	Offset         uint64 // of the function in the file
	Kind           bpf.TracerCallKind
	LengthFrom     bpf.TracerLengthFrom
	LengthArgument int // index of the pointer argument, for LENGTH_ARGUMENT
}

// Target is what to attach to in one file.
type Target struct {
	File    *os.File // the library or executable; it may be closed afterwards
	Offsets bpf.TracerLibrary
	Calls   []Call
	Free    uint64 // offset of SSL_free in the file, 0: none
}

// Library is an attached target.
type Library struct {
	links    []link.Link
	probes   int             // places that are probed
	programs []*ebpf.Program // of this library alone
	release  func()          // gives the place in the table back
}

// ErrFull says that no further library fits into the table of offsets.
var ErrFull = errors.New("table of libraries is full")

// Attach probes a target in all processes that map it: all of its calls, or none.
func (p *Programs) Attach(t Target) (_ *Library, err error) {
	index, err := p.reserve()
	if err != nil {
		return nil, err
	}
	if err := p.objects.Libraries.Update(index, t.Offsets, ebpf.UpdateAny); err != nil {
		return nil, fmt.Errorf("offsets of library %d: %w", index, err)
	}
	l := &Library{release: func() { p.free = append(p.free, index) }}
	executable, err := openExecutable(t.File)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Close())
		}
	}()
	if err := p.attachCalls(l, executable, t.Calls, index); err != nil {
		return nil, err
	}
	if t.Free != 0 {
		if err := p.attach(l, executable, p.objects.SslFreeEnter, place{symbol: "SSL_free", offset: t.Free}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// reserve finds a place in the table of offsets.
func (p *Programs) reserve() (uint32, error) {
	if n := len(p.free); n > 0 {
		index := p.free[n-1]
		p.free = p.free[:n-1]
		return index, nil
	}
	if p.next >= p.objects.Libraries.MaxEntries() {
		return 0, ErrFull
	}
	p.next++
	return p.next - 1, nil
}

// openExecutable opens the file by descriptor: its path may name another file, or none, or one in another mount namespace.
func openExecutable(f *os.File) (*link.Executable, error) {
	e, err := link.OpenExecutable(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("open %q for probes: %w", f.Name(), err)
	}
	return e, nil
}

// TryUprobe attaches a probe to the running executable and detaches it: the kernel's rules for uprobes differ from those for loading programs. The probe
// is at the entry point, where nothing passes any more.
func (p *Programs) TryUprobe() error {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("own executable: %w", err)
	}
	defer f.Close()
	e, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("own executable: %w", err)
	}
	for _, s := range e.Progs {
		if s.Type == elf.PT_LOAD && e.Entry >= s.Vaddr && e.Entry < s.Vaddr+s.Filesz {
			executable, err := openExecutable(f)
			if err != nil {
				return err
			}
			var l Library
			if err := p.attach(&l, executable, p.objects.SslFreeEnter, place{symbol: "entry", offset: e.Entry - s.Vaddr + s.Off}); err != nil {
				return fmt.Errorf("attach a uprobe: %w", err)
			}
			return l.Close()
		}
	}
	return errors.New("own executable has no entry point")
}

// AttachDecoder probes d2i_X509, for libraries whose offsets are not known.
func (p *Programs) AttachDecoder(f *os.File, offset uint64) (*Library, error) {
	executable, err := openExecutable(f)
	if err != nil {
		return nil, err
	}
	l := &Library{}
	if err := p.attach(l, executable, p.objects.D2iX509Enter, place{symbol: "d2i_X509", offset: offset}); err != nil {
		return nil, err
	}
	return l, nil
}

// AttachReader probes BIO_read: for TLS connections of a memory BIO that are older than the tracing. It is for as short a time as can be.
func (p *Programs) AttachReader(f *os.File, offset uint64) (*Library, error) {
	executable, err := openExecutable(f)
	if err != nil {
		return nil, err
	}
	l := &Library{}
	at := place{symbol: "BIO_read", offset: offset, returned: true}
	if err := p.attach(l, executable, p.objects.BioReadExit, at); err != nil {
		return nil, err
	}
	at.returned = false
	if err := p.attach(l, executable, p.objects.BioReadEnter, at); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// closeLinks closes links side by side: each waits until no processor runs its program.
func closeLinks(links []link.Link) error {
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	for i, k := range links {
		wg.Go(func() { errs[i] = k.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Close detaches from libraries, side by side.
func Close(libraries ...*Library) error {
	var links []link.Link
	for _, l := range libraries {
		links = append(links, l.links...)
		l.links = nil
	}
	errs := []error{closeLinks(links)}
	for _, l := range libraries {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// Probes is the number of attached probes.
func (l *Library) Probes() int { return l.probes }

// Close detaches.
func (l *Library) Close() error {
	errs := []error{closeLinks(l.links)}
	for _, prog := range l.programs {
		errs = append(errs, prog.Close())
	}
	l.links, l.programs = nil, nil
	if l.release != nil {
		l.release()
		l.release = nil
	}
	return errors.Join(errs...)
}

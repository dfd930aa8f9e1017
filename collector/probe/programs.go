// Package probe loads the eBPF programs into the kernel and attaches them. Every link stays referenced here until Close: one that is collected as
// garbage detaches silently.
package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"

	"tenantrace/bpf"
)

// Config says how the programs are loaded.
type Config struct {
	ChosenOnly bool     // trace only the processes that Trace names, and their descendants
	Without    Features // behave as on kernels that lack these
}

// Programs are the loaded programs with their maps, and the links of those that attach without a library.
type Programs struct {
	objects  objects
	hooks    map[string]*ebpf.Program // those of tracepoints, by their names
	control  *ebpf.Program            // nil: the kernel cannot
	spec     *ebpf.CollectionSpec
	features Features
	links    []link.Link
	next     uint32   // first place of the libraries map that was never used
	free     []uint32 // places that were given back
}

// objects are the maps, and the programs of libraries.
type objects struct {
	bpf.TracerMaps
	TlsCallEnter     *ebpf.Program `ebpf:"tls_call_enter"`
	TlsCallExit      *ebpf.Program `ebpf:"tls_call_exit"`
	SslFreeEnter     *ebpf.Program `ebpf:"ssl_free_enter"`
	ContextCopyExit  *ebpf.Program `ebpf:"context_copy_exit"`
	ContextFreeEnter *ebpf.Program `ebpf:"context_free_enter"`
	D2iX509Enter     *ebpf.Program `ebpf:"d2i_x509_enter"`
	BioReadEnter     *ebpf.Program `ebpf:"bio_read_enter"`
	BioReadExit      *ebpf.Program `ebpf:"bio_read_exit"`
}

func (o *objects) programs() []*ebpf.Program {
	return []*ebpf.Program{o.TlsCallEnter, o.TlsCallExit, o.SslFreeEnter, o.D2iX509Enter, o.BioReadEnter, o.BioReadExit, o.ContextCopyExit, o.ContextFreeEnter}
}

// Load puts the programs and maps into the kernel; nothing is attached yet.
func Load(cfg Config) (*Programs, error) {
	// Kernels before 5.11 account BPF memory by this limit. Later ones do not, and there a refusal is harmless: a real lack shows at the load.
	_ = rlimit.RemoveMemlock()
	p := &Programs{features: KernelFeatures().without(cfg.Without)}
	var err error
	if p.spec, err = specification(p.features, cfg.ChosenOnly); err != nil {
		return nil, err
	}
	c, err := ebpf.NewCollection(p.spec)
	if err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", explain(err))
	}
	defer c.Close() // what is not taken out
	if err := c.Assign(&p.objects); err != nil {
		return nil, fmt.Errorf("load eBPF programs: %w", err)
	}
	p.hooks = make(map[string]*ebpf.Program)
	if p.features.Control {
		p.control = c.DetachProgram(controlProgram)
	}
	for _, h := range hooks(p.features) {
		p.hooks[h.program] = c.DetachProgram(h.program)
	}
	return p, nil
}

// specification gives the object as it is to be loaded.
func specification(f Features, chosenOnly bool) (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadTracer()
	if err != nil {
		return nil, fmt.Errorf("eBPF object: %w", err)
	}
	for name, on := range map[string]bool{"has_cookie": f.Cookies, "has_loop": f.Loop, "can_hold": f.Hold, "chosen_only": chosenOnly} {
		if err := set(spec, name, boolean(on)); err != nil {
			return nil, err
		}
	}
	if !f.Control {
		delete(spec.Programs, controlProgram)
	}
	mine := hooks(f)
	for _, h := range hooks(Features{RawTracepoints: !f.RawTracepoints}) { // the other way
		if !slices.Contains(mine, h) {
			delete(spec.Programs, h.program)
		}
	}
	if !f.Loop {
		for _, program := range spec.Programs {
			program.Instructions = withoutCallbacks(program.Instructions)
		}
	}
	if f.UprobeMulti {
		for _, program := range spec.Programs {
			if program.Type == ebpf.Kprobe { // as uprobes are called here too
				program.AttachType = ebpf.AttachTraceUprobeMulti
			}
		}
	}
	return spec, shrink(spec)
}

func boolean(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

func set(spec *ebpf.CollectionSpec, name string, value any) error {
	v, ok := spec.Variables[name]
	if !ok {
		return fmt.Errorf("eBPF object has no setting %q [rebuild the bindings: make generate]", name)
	}
	return v.Set(value)
}

// explain adds the last lines of the verifier's log, or what a refusal usually means.
func explain(err error) error {
	var verifier *ebpf.VerifierError
	if errors.As(err, &verifier) {
		return fmt.Errorf("%w: %+v", err, verifier)
	}
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w [run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE]", err)
	}
	return err
}

// Events is the ring buffer of records.
func (p *Programs) Events() *ebpf.Map { return p.objects.Events }

// Features are those that are in use.
func (p *Programs) Features() Features { return p.features }

// Drops gives the losses by reason since the load.
func (p *Programs) Drops() (map[bpf.TracerDrop]uint64, error) {
	out := map[bpf.TracerDrop]uint64{}
	for reason := bpf.TracerDropDROP_RINGBUF; reason < bpf.TracerDropDROP_REASONS; reason++ {
		var perCPU []uint64
		if err := p.objects.Drops.Lookup(uint32(reason), &perCPU); err != nil {
			return nil, fmt.Errorf("read drop counter %d: %w", reason, err)
		}
		for _, n := range perCPU {
			out[reason] += n
		}
	}
	return out, nil
}

// DetachTracepoints ends what AttachTracepoints began; what is in the ring buffer stays there.
func (p *Programs) DetachTracepoints() error {
	links := p.links
	p.links = nil
	return closeLinks(links)
}

// Close detaches and unloads everything.
func (p *Programs) Close() error {
	errs := []error{p.DetachTracepoints(), p.objects.TracerMaps.Close()}
	for _, program := range append(p.all(), p.control) {
		errs = append(errs, program.Close())
	}
	return errors.Join(errs...)
}

// all are the programs that are attached.
func (p *Programs) all() []*ebpf.Program {
	return slices.AppendSeq(p.objects.programs(), maps.Values(p.hooks))
}

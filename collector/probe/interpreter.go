package probe

import (
	"errors"
	"os"
	"time"

	"github.com/cilium/ebpf"

	"tenantrace/bpf"
)

// AttachInterpreter probes where CPython copies its contexts and where it frees them, in all processes that map the file: a fork has its probes from its first
// instruction. Copies are met only once frees are: an address must not be another context's when something is said of it.
func (p *Programs) AttachInterpreter(f *os.File, contextCopy, contextFree uint64) (*Library, error) {
	executable, err := openExecutable(f)
	if err != nil {
		return nil, err
	}
	l := &Library{}
	if err := p.attach(l, executable, p.objects.ContextFreeEnter, place{symbol: "tp_dealloc of PyContext_Type", offset: contextFree}); err != nil {
		return nil, err
	}
	if err := p.attach(l, executable, p.objects.ContextCopyExit, place{symbol: "PyContext_CopyCurrent", offset: contextCopy, returned: true}); err != nil {
		_ = l.Close() // the first error says why
		return nil, err
	}
	return l, nil
}

// TracePython has the contexts of a traced process followed. If it was followed by other places, what was known of its contexts is forgotten.
func (p *Programs) TracePython(pid uint32, python bpf.TracerPython) error {
	if p.features.Control {
		_, err := p.ask(bpf.TracerControlOperationCONTROL_PYTHON, bpf.TracerControl{Pid: pid, Python: python})
		return err
	}
	var known bpf.TracerPython
	err := p.objects.Pythons.Lookup(pid, &known)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return err
	}
	python.Epoch, python.Bound = known.Epoch, known.Bound
	if err == nil && python == known {
		return nil // a fork has it of its parent, and contexts already
	}
	python.Epoch, python.Bound = uint64(time.Now().UnixNano()), 0
	if err := p.objects.Pythons.Update(pid, python, ebpf.UpdateAny); err != nil {
		return err
	}
	if _, traced := p.Lost(pid); !traced { // it has ended meanwhile: nobody else would delete it
		return ignoreMissing(p.objects.Pythons.Delete(pid))
	}
	return nil
}

// ForgetTasks forgets all contexts: a program that was left out may have been one that ends them.
func (p *Programs) ForgetTasks() error {
	if p.features.Control {
		_, err := p.ask(bpf.TracerControlOperationCONTROL_NO_TASKS, bpf.TracerControl{})
		return err
	}
	var all uint64
	if err := p.objects.TaskEpochs.Lookup(uint32(0), &all); err != nil {
		return err
	}
	return p.objects.TaskEpochs.Update(uint32(0), all+1, ebpf.UpdateAny)
}

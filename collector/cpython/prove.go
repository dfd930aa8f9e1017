package cpython

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Places are the offsets in one process, as the kernel side wants them.
type Places struct {
	Slot                     uint32 // of a thread's state, from its thread pointer
	ThreadID, Context, Chunk uint32 // in it
	Threads                  int    // thread states that were looked at
	Contexts                 int    // of them, those with a context
}

// ErrNotYet says that the interpreter of a process has not begun.
var ErrNotYet = errors.New("the interpreter has not begun")

const (
	maxThreads = 1 << 12
	tries      = 5 // a thread that begins or ends meanwhile is between two states
	pause      = 2 * time.Millisecond
)

// Prove checks in the memory of a process that it is as learned: each thread's state is what the thread's own slot holds, its id is the address of the thread's
// descriptor, and its context is none or an object of the type. bias is what the file's addresses are moved by; slots is of the process's C library (LearnSlots).
func (l *Layout) Prove(memory io.ReaderAt, bias uint64, slots uint32) (Places, error) {
	var p Places
	var err error
	for range tries {
		if p, err = l.prove(reader{memory}, bias, slots); err == nil || errors.Is(err, ErrNotYet) {
			break
		}
		time.Sleep(pause)
	}
	return p, err
}

// Bias is what a file's addresses are moved by in a process that maps the part of it at offset, which holds the code, to start.
func (l *Layout) Bias(start, offset uint64) uint64 { return start - offset - l.Delta }

type reader struct{ io.ReaderAt }

func (r reader) read(address uint64, size int) (uint64, error) {
	var b [8]byte
	if address >= 1<<56 {
		return 0, fmt.Errorf("%#x is no address", address)
	}
	if _, err := r.ReadAt(b[:size], int64(address)); err != nil {
		return 0, fmt.Errorf("read memory at %#x: %w", address, err)
	}
	return binary.LittleEndian.Uint64(b[:]), nil
}

func (r reader) pointer(address uint64) (uint64, error) { return r.read(address, 8) }

func (l *Layout) prove(r reader, bias uint64, slots uint32) (Places, error) {
	p := Places{ThreadID: l.ThreadID, Context: l.Context, Chunk: l.Chunk}
	made, err := r.read(l.Key+bias-4, 4) // Py_tss_t: an int that tells whether the key exists, then the key
	if err != nil {
		return p, err
	}
	key, err := r.read(l.Key+bias, 4)
	if err != nil {
		return p, err
	}
	interpreter, err := r.pointer(l.Main + bias)
	if err != nil {
		return p, err
	}
	if made == 0 || interpreter == 0 {
		return p, ErrNotYet
	}
	if made != 1 || key >= FirstSlots {
		return p, fmt.Errorf("thread-specific key %d (%d) is none of the first %d", key, made, FirstSlots)
	}
	p.Slot = slots + uint32(key)*slotSize
	if free, err := r.pointer(l.Type + bias + deallocate); err != nil {
		return p, err
	} else if free != l.Free+l.Delta+bias {
		return p, fmt.Errorf("the destructor of contexts is at %#x, want %#x", free, l.Free+l.Delta+bias)
	}
	state, err := r.pointer(interpreter + uint64(l.Head))
	if err != nil {
		return p, err
	}
	for ; state != 0; p.Threads++ {
		if p.Threads == maxThreads {
			return p, fmt.Errorf("more than %d threads", maxThreads)
		}
		if err := l.proveThread(r, state, bias, &p); err != nil {
			return p, err
		}
		if state, err = r.pointer(state + uint64(l.Next)); err != nil {
			return p, err
		}
	}
	if p.Threads == 0 {
		return p, ErrNotYet
	}
	return p, nil
}

func (l *Layout) proveThread(r reader, state, bias uint64, p *Places) error {
	id, err := r.pointer(state + uint64(l.ThreadID))
	if err != nil {
		return err
	}
	const self = 0x10 // tcbhead_t: the descriptor's own address (glibc, sysdeps/x86_64/nptl/tls.h)
	if own, err := r.pointer(id + self); err != nil {
		return fmt.Errorf("thread %#x: %w", id, err)
	} else if own != id {
		return fmt.Errorf("thread %#x: its descriptor says %#x", id, own)
	}
	if held, err := r.pointer(id + uint64(p.Slot)); err != nil {
		return fmt.Errorf("thread %#x: %w", id, err)
	} else if held != state {
		return fmt.Errorf("thread %#x: its slot holds %#x, not its state %#x", id, held, state)
	}
	context, err := r.pointer(state + uint64(l.Context))
	if err != nil || context == 0 {
		return err
	}
	const typeOf = 8 // PyObject: a count of references, then the type
	kind, err := r.pointer(context + typeOf)
	if err != nil {
		return fmt.Errorf("context %#x: %w", context, err)
	}
	if kind != l.Type+bias {
		return fmt.Errorf("context %#x is no context", context)
	}
	p.Contexts++
	return nil
}

// Package cpython learns from the machine code of a CPython interpreter where it keeps the state of its threads and their contexts (PEP 567), and proves in a
// running process that it does. It needs exported symbols only: stripped interpreters have them. Offsets are those of x86-64.
package cpython

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"

	"tenantrace/collector/openssl"
)

// ErrNone says that a file holds no interpreter.
var ErrNone = errors.New("no CPython interpreter")

// Layout is what was learned of an interpreter's file. Addresses are those of the file.
type Layout struct {
	Minor uint32 // of version 3; 0: before 3.11, where the file does not say

	Next, ThreadID, Context, Chunk uint32 // in a thread's state (PyThreadState); Chunk 0: not known
	Head                           uint32 // in the interpreter's (PyInterpreterState): its first thread's state
	Key                            uint64 // address of the number of the thread-specific key under which each thread has its state
	Main                           uint64 // address of the pointer to the main interpreter's state
	Type                           uint64 // PyContext_Type

	Copy, Free uint64 // places in the file: PyContext_CopyCurrent, and what the type calls to free a context
	Delta      uint64 // what is to be added to them for their addresses
}

// The symbols that are needed.
const (
	copyCurrent = "PyContext_CopyCurrent"
	contextType = "PyContext_Type"
	runtime     = "_PyRuntime"
	threadState = "PyGILState_GetThisThreadState"
	nextThread  = "PyThreadState_Next"
	firstThread = "PyInterpreterState_ThreadHead"
	mainState   = "PyInterpreterState_Main"
	asyncExc    = "PyThreadState_SetAsyncExc"
	version     = "Py_Version" // since 3.11
)

// deallocate is where a type object has its tp_dealloc (Include/cpython/object.h, all versions since 3.8).
const deallocate = 0x30

// maxOffset bounds what is taken for an offset in a structure.
const maxOffset = 1 << 16

// chunks are the offsets of datastack_chunk by minor version (Include/cpython/pystate.h): no exported function reads it. It came with 3.11.
var chunks = map[uint32]uint32{11: 0x128, 12: 0xe8, 13: 0xe8}

// Learn reads an interpreter: an executable, or libpython.
func Learn(r io.ReaderAt) (*Layout, error) {
	e, err := openssl.OpenELF(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	needed := []string{copyCurrent, contextType, runtime, threadState, nextThread, firstThread, mainState, asyncExc}
	symbols, err := e.Symbols(append(needed, version)...)
	if err != nil {
		return nil, fmt.Errorf("symbols: %w", err)
	}
	if _, ok := symbols[copyCurrent]; !ok {
		return nil, ErrNone
	}
	for _, name := range needed {
		if _, ok := symbols[name]; !ok {
			return nil, fmt.Errorf("symbol %q is not exported", name)
		}
	}
	if e.Machine() != elf.EM_X86_64 {
		return nil, fmt.Errorf("code for %v cannot be read yet", e.Machine())
	}
	l := &Layout{Type: symbols[contextType].Address}
	f := file{e, symbols}
	for _, step := range []func(*Layout) error{f.version, f.accessors, f.globals, f.thread, f.places} {
		if err := step(l); err != nil {
			return nil, err
		}
	}
	return l, nil
}

type file struct {
	*openssl.ELF
	symbols map[string]openssl.Symbol
}

func (f file) trace(name string) (*openssl.Trace, error) {
	t, err := f.Trace(f.symbols[name])
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return t, nil
}

// version reads PY_VERSION_HEX where it is exported.
func (f file) version(l *Layout) error {
	s, ok := f.symbols[version]
	if !ok {
		return nil
	}
	hex, err := f.Pointer(s.Address)
	if err != nil {
		return fmt.Errorf("%q: %w", version, err)
	}
	if hex>>24&0xff != 3 {
		return fmt.Errorf("%q is %#x, not of version 3", version, hex)
	}
	l.Minor = uint32(hex >> 16 & 0xff)
	l.Chunk = chunks[l.Minor]
	return nil
}

// accessors learns from functions that return a field of their argument.
func (f file) accessors(l *Layout) error {
	for name, to := range map[string]*uint32{nextThread: &l.Next, firstThread: &l.Head} {
		t, err := f.trace(name)
		if err != nil {
			return err
		}
		if len(t.Returns) != 1 {
			return fmt.Errorf("%q has %d results", name, len(t.Returns))
		}
		w := t.Returns[0]
		if w.From != openssl.FromArgument || w.Argument != 0 || len(w.Offsets) != 1 || w.Size != 8 || w.Tail != 0 || !isOffset(w.Offsets[0]) {
			return fmt.Errorf("%q returns %+v, no field of its argument", name, w)
		}
		*to = uint32(w.Offsets[0])
	}
	return nil
}

func isOffset(n int64) bool { return n >= 0 && n < maxOffset }

// globals learns where the key and the main interpreter are: both in _PyRuntime.
func (f file) globals(l *Layout) error {
	t, err := f.trace(mainState)
	if err != nil {
		return err
	}
	if len(t.Returns) != 1 || t.Returns[0].Size != 8 || t.Returns[0].Tail != 0 {
		return fmt.Errorf("%q returns %+v, no global variable", mainState, t.Returns)
	}
	if l.Main, err = f.global(t.Returns[0]); err != nil {
		return fmt.Errorf("%q: %w", mainState, err)
	}
	if t, err = f.trace(threadState); err != nil {
		return err
	}
	for _, c := range t.Calls { // pthread_getspecific(key)
		if c.Target != 0 || c.Arguments[0].Size != 4 {
			continue
		}
		at, err := f.global(c.Arguments[0])
		if err != nil {
			return fmt.Errorf("%q: %w", threadState, err)
		}
		if l.Key != 0 && l.Key != at {
			return fmt.Errorf("%q uses several keys", threadState)
		}
		l.Key = at
	}
	if l.Key == 0 {
		return fmt.Errorf("%q uses no thread-specific key", threadState)
	}
	return nil
}

// global gives the address of a variable in _PyRuntime that is loaded directly, or through the global offset table.
func (f file) global(w openssl.Way) (uint64, error) {
	var at uint64
	switch {
	case w.From != openssl.FromAddress:
		return 0, fmt.Errorf("%+v is no global variable", w)
	case len(w.Offsets) == 1:
		at = uint64(w.Offsets[0])
	case len(w.Offsets) == 2:
		object, ok := f.Object(uint64(w.Offsets[0]))
		if !ok {
			return 0, fmt.Errorf("%+v goes through an unknown slot", w)
		}
		at = object + uint64(w.Offsets[1])
	default:
		return 0, fmt.Errorf("%+v is no global variable", w)
	}
	if r := f.symbols[runtime]; at < r.Address || at-r.Address >= r.Size {
		return 0, fmt.Errorf("%#x is not in %q", at, runtime)
	}
	return at, nil
}

// thread learns the fields of a thread's state. PyThreadState_SetAsyncExc(id) goes from the current state to its interpreter's first, and compares the id of each
// with its argument: this also tells how the current state is found. PyContext_CopyCurrent then reads the context of that.
func (f file) thread(l *Layout) error {
	t, err := f.trace(asyncExc)
	if err != nil {
		return err
	}
	var current openssl.Way
	found := false
	for _, c := range t.Compared {
		w, other := c[0], c[1]
		if other.Size != 0 {
			w, other = other, w
		}
		n := len(w.Offsets)
		if other.From != openssl.FromArgument || other.Argument != 0 || len(other.Offsets) != 0 || w.Size != 8 || n < 4 || w.Offsets[n-2] != int64(l.Head) {
			continue
		}
		id := w.Offsets[n-1]
		if !isOffset(id) || found && uint32(id) != l.ThreadID {
			return fmt.Errorf("%q compares its argument with several fields", asyncExc)
		}
		l.ThreadID, found = uint32(id), true
		current = openssl.Way{From: w.From, Offsets: w.Offsets[:n-3]}
	}
	if !found {
		return fmt.Errorf("%q compares its argument with no thread's id", asyncExc)
	}
	return f.context(l, current)
}

// context learns where a thread's state has its context: the first thing beyond its links that PyContext_CopyCurrent, or what it calls, reads there.
func (f file) context(l *Layout, current openssl.Way) error {
	t, err := f.trace(copyCurrent)
	if err != nil {
		return err
	}
	loads := t.Loads
	for _, c := range t.Calls {
		if c.Target == 0 {
			continue
		}
		if t, err := f.Trace(openssl.Symbol{Address: c.Target}); err == nil {
			loads = append(loads, t.Loads...)
		}
	}
	const links = 0x20 // prev, next, interp: no context is there
	var at []int64
	for _, w := range loads {
		n := len(w.Offsets) - 1
		if w.From != current.From || n < 0 || !slices.Equal(w.Offsets[:n], current.Offsets) || w.Size != 8 || w.Offsets[n] <= links || !isOffset(w.Offsets[n]) {
			continue
		}
		if !slices.Contains(at, w.Offsets[n]) {
			at = append(at, w.Offsets[n])
		}
	}
	if len(at) != 1 {
		return fmt.Errorf("%q reads %d fields of the thread's state: %#x", copyCurrent, len(at), at)
	}
	l.Context = uint32(at[0])
	return variables(loads, append(slices.Clone(current.Offsets), at[0]))
}

// variables checks that a context has its variables where it has them in all versions (Include/internal/pycore_context.h): the kernel side reads the field after
// the next. way leads to the context; where a call returns it, it is not known where it came from.
func variables(loads []openssl.Way, way []int64) error {
	const contextVariables = 0x18
	for _, w := range loads {
		n := len(w.Offsets) - 1
		if n < 0 || w.Size != 8 || w.Offsets[n] != contextVariables {
			continue
		}
		if slices.Equal(w.Offsets[:n], way) || w.From == openssl.FromUnknown && n == 0 {
			return nil
		}
	}
	return fmt.Errorf("%q does not read the variables of a context", copyCurrent)
}

// places finds what is probed.
func (f file) places(l *Layout) error {
	free, err := f.Pointer(l.Type + deallocate)
	if err != nil {
		return fmt.Errorf("%q: %w", contextType, err)
	}
	for address, to := range map[uint64]*uint64{f.symbols[copyCurrent].Address: &l.Copy, free: &l.Free} {
		var ok bool
		if *to, ok = f.Offset(address); !ok {
			return fmt.Errorf("%#x is no address of code", address)
		}
	}
	l.Delta = f.symbols[copyCurrent].Address - l.Copy
	if free-l.Free != l.Delta {
		return fmt.Errorf("%q and the destructor are in different segments", copyCurrent)
	}
	if l.Copy == l.Free {
		return fmt.Errorf("%q and the destructor are one", copyCurrent)
	}
	return nil
}

package probe

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// place is a place in a file that a program is attached to.
type place struct {
	symbol   string // for messages
	offset   uint64 // in the file
	cookie   uint64 // 0: the program asks for none
	returned bool   // at the function's return
}

// attachCalls probes entry and return of functions. The returns first: an entry without its return would leave a call open on the thread.
func (p *Programs) attachCalls(l *Library, executable *link.Executable, calls []Call, index uint32) error {
	var entries, returns []place
	for _, c := range calls {
		cookie := uint64(index)<<16 | uint64(c.Kind)<<8 | uint64(c.LengthArgument)<<4 | uint64(c.LengthFrom)
		entries = append(entries, place{symbol: c.Symbol, offset: c.Offset, cookie: cookie})
		returns = append(returns, place{symbol: c.Symbol, offset: c.Offset, cookie: cookie, returned: true})
	}
	if p.features.Cookies {
		if err := p.attach(l, executable, p.objects.TlsCallExit, returns...); err != nil {
			return err
		}
		return p.attach(l, executable, p.objects.TlsCallEnter, entries...)
	}
	for i := range calls {
		enter, exit, err := p.forCookie(l, entries[i].cookie)
		if err != nil {
			return err
		}
		if err := p.attach(l, executable, exit, returns[i]); err != nil {
			return err
		}
		if err := p.attach(l, executable, enter, entries[i]); err != nil {
			return err
		}
	}
	return nil
}

// attach attaches a program to places that are all entries, or all returns.
func (p *Programs) attach(l *Library, executable *link.Executable, program *ebpf.Program, places ...place) error {
	if len(places) == 0 {
		return nil
	}
	if p.features.UprobeMulti {
		return l.attachTogether(executable, program, places)
	}
	for _, at := range places {
		options := &link.UprobeOptions{Address: at.offset}
		if p.features.Cookies {
			options.Cookie = at.cookie
		}
		attach := executable.Uprobe
		if at.returned {
			attach = executable.Uretprobe
		}
		k, err := attach(at.symbol, program, options)
		if err != nil {
			return fmt.Errorf("probe %s: %w", at, err)
		}
		l.links = append(l.links, k)
		l.probes++
	}
	return nil
}

// attachTogether attaches by one link.
func (l *Library) attachTogether(executable *link.Executable, program *ebpf.Program, places []place) error {
	options := &link.UprobeMultiOptions{}
	for _, at := range places {
		options.Addresses = append(options.Addresses, at.offset)
		options.Cookies = append(options.Cookies, at.cookie)
	}
	attach := executable.UprobeMulti
	if places[0].returned {
		attach = executable.UretprobeMulti
	}
	k, err := attach(nil, program, options)
	if err != nil {
		return fmt.Errorf("probe %s and %d others: %w", places[0], len(places)-1, err)
	}
	l.links = append(l.links, k)
	l.probes += len(places)
	return nil
}

func (p place) String() string {
	if p.returned {
		return "return of " + p.symbol
	}
	return p.symbol
}

// forCookie loads the programs of a call anew, with the cookie as a constant and the maps shared, for kernels that have no attach cookies.
func (p *Programs) forCookie(l *Library, cookie uint64) (enter, exit *ebpf.Program, err error) {
	spec := p.spec.Copy()
	if err := set(spec, "fixed_cookie", cookie); err != nil {
		return nil, nil, err
	}
	enterName, exitName := "tls_call_enter", "tls_call_exit"
	spec.Programs = map[string]*ebpf.ProgramSpec{enterName: spec.Programs[enterName], exitName: spec.Programs[exitName]}
	o := &p.objects
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{
		"events": o.Events, "processes": o.Processes, "drops": o.Drops, "calls": o.Calls, "readers": o.Readers, "files": o.Files,
		"candidates": o.Candidates, "sockets": o.Sockets, "libraries": o.Libraries, "tls_states": o.TlsStates, "traits": o.Traits, "hello_pieces": o.HelloPieces, "scratches": o.Scratches,
		"pythons": o.Pythons, "tasks": o.Tasks, "task_epochs": o.TaskEpochs, "loops": o.Loops,
	}})
	if err != nil {
		return nil, nil, fmt.Errorf("load programs for one call: %w", explain(err))
	}
	enter, exit = c.Programs[enterName], c.Programs[exitName]
	delete(c.Programs, enterName)
	delete(c.Programs, exitName)
	c.Close()
	l.programs = append(l.programs, enter, exit)
	return enter, exit, nil
}

package discovery

import (
	"context"
	"fmt"
	"slices"

	"tenantrace/collector/openssl"
	"tenantrace/collector/procfs"
)

// Survey lists the files mapped by running processes that export OpenSSL's symbols, with what can be learned of them. It attaches nothing.
func Survey(ctx context.Context, proc procfs.FS) ([]Library, error) {
	pids, err := proc.Processes()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	s := surveyor{proc: proc, exports: map[fileID]openssl.Exported{}, libraries: map[fileID]*Library{}}
	for _, pid := range pids {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.process(pid)
	}
	var out []Library
	for _, l := range s.libraries {
		out = append(out, *l)
	}
	slices.SortFunc(out, byPath)
	return out, nil
}

type surveyor struct {
	proc      procfs.FS
	exports   map[fileID]openssl.Exported
	libraries map[fileID]*Library
}

func (s *surveyor) process(pid uint32) {
	mappings, err := s.proc.ExecutableMappings(pid)
	if err != nil {
		return // it ended, or is a kernel thread
	}
	var companion *procfs.Mapping
	for i, m := range mappings {
		if s.exported(pid, m).Crypto && companion == nil {
			companion = &mappings[i]
		}
	}
	for _, m := range mappings {
		id := fileID{m.Device, m.Inode}
		e := s.exports[id]
		if !e.SSL {
			continue
		}
		l := s.libraries[id]
		if l == nil {
			l = &Library{Path: m.Path, Device: m.Device, Inode: m.Inode}
			s.libraries[id] = l
			s.learn(pid, m, companion, e, l)
		}
		l.Processes++
	}
}

func (s *surveyor) exported(pid uint32, m procfs.Mapping) openssl.Exported {
	id := fileID{m.Device, m.Inode}
	if e, ok := s.exports[id]; ok {
		return e
	}
	var e openssl.Exported
	if r, err := s.proc.OpenMapping(pid, m); err == nil {
		e, _ = openssl.Exports(r) // not an ELF file: exports nothing
		r.Close()
	}
	s.exports[id] = e
	return e
}

func (s *surveyor) learn(pid uint32, m procfs.Mapping, companion *procfs.Mapping, e openssl.Exported, l *Library) {
	learned, done, err := open(s.proc, pid, m, companion, e.Crypto)
	if err != nil {
		l.Error = err.Error()
		return
	}
	defer done()
	l.BuildID, l.OffsetsKnown = learned.library.BuildID, learned.library.Layout != nil
	l.Unknown = unknown(learned.library)
	if learned.library.LayoutErr != nil {
		l.Error = learned.library.LayoutErr.Error()
	}
}

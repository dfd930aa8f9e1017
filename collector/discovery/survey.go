package discovery

import (
	"context"
	"fmt"
	"slices"

	"tenantrace/collector/procfs"
)

// Survey lists the files mapped by running processes that export OpenSSL's symbols, with what can be learned of them. It attaches nothing.
func Survey(ctx context.Context, proc procfs.FS) ([]Library, error) {
	pids, err := proc.Processes()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	s := surveyor{proc: proc, contents: map[fileID]*contents{}, libraries: map[fileID]*Library{}}
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
	contents  map[fileID]*contents
	libraries map[fileID]*Library
}

func (s *surveyor) process(pid uint32) {
	mappings, err := s.proc.ExecutableMappings(pid)
	if err != nil {
		return // it ended, or is a kernel thread
	}
	files := make([]mapped, len(mappings))
	for i, m := range mappings {
		files[i] = mapped{m, s.inspect(pid, m)}
	}
	for _, m := range files {
		if !m.ssl && !m.hidden {
			continue
		}
		id := fileID{Device: m.Device, Inode: m.Inode}
		l := s.libraries[id]
		if l == nil {
			l = &Library{Path: m.Path, Device: m.Device, Inode: m.Inode}
			s.libraries[id] = l
			s.learn(pid, m, files, l)
		}
		l.Processes++
	}
}

func (s *surveyor) inspect(pid uint32, m procfs.Mapping) *contents {
	id := fileID{Device: m.Device, Inode: m.Inode}
	if c := s.contents[id]; c != nil {
		return c
	}
	c := &contents{}
	if r, err := s.proc.OpenMapping(pid, m); err == nil {
		*c = inspect(r)
		r.Close()
	}
	s.contents[id] = c
	return c
}

func (s *surveyor) learn(pid uint32, m mapped, files []mapped, l *Library) {
	if m.hidden {
		l.Hidden, l.Error = true, hiddenError
		return
	}
	cryptos, _ := companions(m, files)
	learned, done, err := open(s.proc, pid, m.Mapping, cryptos, m.crypto)
	if err != nil {
		l.Error = err.Error()
		return
	}
	defer done()
	l.describe(learned.library)
}

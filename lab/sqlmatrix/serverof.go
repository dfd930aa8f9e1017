package sqlmatrix

import (
	"context"
	"fmt"
	"path/filepath"
)

// serverOf gives the server that a driver is for. One that is itself looked at is new: what it sends has a beginning.
func (m *matrix) serverOf(ctx context.Context, d *driver) (*server, error) {
	if d.server == "" {
		return m.server(ctx, d.engine)
	}
	key := d.server
	if d.ofServer {
		key = d.name
	}
	if s := m.servers[key]; s != nil {
		return s, nil
	}
	dir := filepath.Join(m.dir, fmt.Sprintf("%s-%d", d.server, len(m.servers)))
	var s *server
	var err error
	switch d.server {
	case pooler:
		var behind *server
		if behind, err = m.server(ctx, d.engine); err == nil {
			s, err = startPgBouncer(ctx, m.yard.cache, dir, behind, m.leaf)
		}
	case oracleMySQL:
		s, err = startMySQL(ctx, m.yard.cache, dir, m.ca, m.leaf)
	}
	if s != nil {
		m.undo = append(m.undo, s.stop)
	}
	if err != nil {
		return nil, err
	}
	m.servers[key] = s
	return s, nil
}

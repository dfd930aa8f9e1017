//go:build ignore

package main

import (
	"context"
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// standard plays by database/sql.
type standard struct {
	pool       *sql.DB
	connection *sql.Conn
	running    *sql.Tx
	prepared   map[string]*sql.Stmt
}

func openStandard(ctx context.Context) (*standard, error) {
	pool, err := sql.Open("pgx", address())
	if err != nil {
		return nil, err
	}
	c, err := pool.Conn(ctx)
	return &standard{pool: pool, connection: c, prepared: make(map[string]*sql.Stmt)}, err
}

func (s *standard) close(context.Context) error {
	for _, p := range s.prepared {
		p.Close()
	}
	s.connection.Close()
	return s.pool.Close()
}

func (s *standard) lacks(operation string) string {
	switch operation {
	case "binary", "many", "copyin", "copyout", "cursor", "pipe", "script", "notify":
		return "database/sql has no API for " + operation
	}
	return ""
}

// runner is a connection or a transaction.
type runner interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *standard) query(ctx context.Context, text string, args []any) error {
	var on runner = s.connection
	if s.running != nil {
		on = s.running
	}
	rows, err := on.QueryContext(ctx, text, args...)
	return read(rows, err)
}

func read(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Err()
}

func (s *standard) play(ctx context.Context, operation string, f []string) (int, error) {
	var err error
	switch operation {
	case "query":
		return 1, s.query(ctx, f[0], values(f[1:]))
	case "prepare":
		s.prepared[f[0]], err = s.connection.PrepareContext(ctx, f[1])
		return 0, err
	case "execute":
		rows, err := s.prepared[f[0]].QueryContext(ctx, values(f[1:])...)
		return 1, read(rows, err)
	case "begin":
		s.running, err = s.connection.BeginTx(ctx, nil)
		return 0, err
	case "commit", "rollback":
		end := s.running.Rollback
		if operation == "commit" {
			end = s.running.Commit
		}
		s.running = nil
		return 0, end()
	case "fail":
		return 1, fails(s.query(ctx, f[0], values(f[1:])))
	}
	return 0, fmt.Errorf("unknown operation %q", operation)
}

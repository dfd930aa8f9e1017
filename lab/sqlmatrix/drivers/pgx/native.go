//go:build ignore

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// native plays by pgx's own interface: statements are prepared and kept, unless the mode is another, values and results mostly in binary format.
type native struct {
	connection *pgx.Conn
	queued     pgx.Batch
}

func openNative(ctx context.Context, mode string) (*native, error) {
	config, err := pgx.ParseConfig(address())
	if err != nil {
		return nil, err
	}
	modes := map[string]pgx.QueryExecMode{
		"cached": pgx.QueryExecModeCacheStatement, "described": pgx.QueryExecModeCacheDescribe, "exec": pgx.QueryExecModeExec, "simple": pgx.QueryExecModeSimpleProtocol,
	}
	known := false
	if config.DefaultQueryExecMode, known = modes[mode]; !known {
		return nil, fmt.Errorf("unknown mode %q", mode)
	}
	c, err := pgx.ConnectConfig(ctx, config)
	return &native{connection: c}, err
}

func (n *native) close(ctx context.Context) error { return n.connection.Close(ctx) }

func (n *native) lacks(operation string) string {
	if operation == "cursor" {
		return "pgx has no API for cursors"
	}
	return ""
}

func (n *native) query(ctx context.Context, sql string, args []any) error {
	rows, err := n.connection.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	for rows.Next() {
	}
	return rows.Err()
}

func (n *native) play(ctx context.Context, operation string, f []string) (int, error) {
	switch operation {
	case "query", "binary", "execute": // a prepared statement goes by its name
		return 1, n.query(ctx, f[0], values(f[1:]))
	case "prepare":
		_, err := n.connection.Prepare(ctx, f[0], f[1])
		return 0, err
	case "many":
		var batch pgx.Batch
		for _, set := range sets(f[1:]) {
			batch.Queue(f[0], set...)
		}
		return batch.Len(), n.connection.SendBatch(ctx, &batch).Close()
	case "begin", "commit", "rollback": // what pgx.Tx sends, which is a text of its own
		_, err := n.connection.Exec(ctx, operation)
		return 0, err
	case "fail":
		return 1, fails(n.query(ctx, f[0], values(f[1:])))
	case "copyin":
		_, err := n.connection.PgConn().CopyFrom(ctx, strings.NewReader(f[1]), f[0])
		return 1, err
	case "copyout":
		_, err := n.connection.PgConn().CopyTo(ctx, io.Discard, f[0])
		return 1, err
	case "pipe":
		n.queued.Queue(f[0], values(f[1:])...)
		return 1, nil
	case "sync":
		batch := n.queued
		n.queued = pgx.Batch{}
		return 0, n.connection.SendBatch(ctx, &batch).Close()
	case "script":
		_, err := n.connection.PgConn().Exec(ctx, f[0]).ReadAll()
		return strings.Count(f[0], "/*"), err
	case "notify":
		for _, sql := range f[1:3] {
			if _, err := n.connection.Exec(ctx, sql); err != nil {
				return 0, err
			}
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, err := n.connection.WaitForNotification(ctx)
		return 2, err
	}
	return 0, fmt.Errorf("unknown operation %q", operation)
}

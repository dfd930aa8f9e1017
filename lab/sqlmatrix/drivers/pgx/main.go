//go:build ignore

// Command sqlm is pgx as a driver program: in the mode that its argument names, or as the driver "pgx" of database/sql ("standard").
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// player does the operations.
type player interface {
	lacks(operation string) string
	play(ctx context.Context, operation string, fields []string) (int, error)
	close(ctx context.Context) error
}

func main() {
	fmt.Println("ready")
	job, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = play(context.Background(), string(job))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(ctx context.Context) (player, error) {
	if os.Args[1] == "standard" {
		return openStandard(ctx)
	}
	return openNative(ctx, os.Args[1])
}

func play(ctx context.Context, job string) error {
	p, err := open(ctx)
	if err != nil {
		return err
	}
	label, operations := "", [][]string(nil)
	for line := range strings.SplitSeq(job, "\n") {
		fields := strings.Split(line, "\t")
		for i, f := range fields {
			fields[i] = unescape.Replace(f)
		}
		switch fields[0] {
		case "":
		case "label":
			label, operations = fields[1], nil
		case "end":
			if err := say(ctx, p, label, operations); err != nil {
				return fmt.Errorf("%s: %w", label, err)
			}
		default:
			operations = append(operations, fields)
		}
	}
	return p.close(ctx)
}

func say(ctx context.Context, p player, label string, operations [][]string) error {
	for _, o := range operations {
		if why := p.lacks(o[0]); why != "" {
			fmt.Printf("na\t%s\t%s\n", label, why)
			return nil
		}
	}
	sent := 0
	for _, o := range operations {
		n, err := p.play(ctx, o[0], o[1:])
		if err != nil {
			return fmt.Errorf("%q: %w", o, err)
		}
		sent += n
	}
	fmt.Printf("sent\t%s\t%d\n", label, sent)
	return nil
}

// address is the database's URL.
func address() string {
	setting := func(name string) string { return os.Getenv("SQLM_" + name) }
	u := url.URL{Scheme: "postgres", User: url.UserPassword(setting("USER"), setting("PASSWORD")), Path: "/" + setting("DATABASE")}
	q := url.Values{"host": {setting("HOST")}, "port": {setting("PORT")}, "sslmode": {"disable"}}
	switch setting("TRANSPORT") {
	case "unix":
		q.Set("host", setting("SOCKET"))
	case "tls":
		q.Set("sslmode", "require")
	}
	u.RawQuery = q.Encode()
	return u.String()
}

var unescape = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\\`, `\`)

func value(arg string) any {
	kind, text, _ := strings.Cut(arg, ":")
	switch kind {
	case "i":
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	case "f":
		n, _ := strconv.ParseFloat(text, 64)
		return n
	case "b":
		return text == "true"
	case "n":
		return (*string)(nil)
	case "x":
		b, _ := hex.DecodeString(text)
		return b
	case "T":
		return strings.Split(text, ",")
	case "I":
		var all []int64
		for part := range strings.SplitSeq(text, ",") {
			n, _ := strconv.ParseInt(part, 10, 64)
			all = append(all, n)
		}
		return all
	}
	return text
}

func values(args []string) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = value(a)
	}
	return out
}

func sets(args []string) [][]any {
	out := [][]any{nil}
	for _, a := range args {
		if a == ";" {
			out = append(out, nil)
		} else {
			out[len(out)-1] = append(out[len(out)-1], value(a))
		}
	}
	return out
}

// fails wants an error of the server.
func fails(err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return nil
	}
	return fmt.Errorf("no error of the server: %w", err)
}

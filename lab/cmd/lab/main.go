// Command lab runs the lab: a flawed service under mutual TLS, labelled traffic, and the daemon that is to find the faults.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/pflag"

	"tenantrace/lab"
	"tenantrace/lab/access"
	"tenantrace/lab/accuracy"
	"tenantrace/lab/life"
	"tenantrace/lab/matrix"
	"tenantrace/lab/sqlmatrix"
)

const usage = `usage: lab <command> [flags]

commands:
  run       plays every scenario against each kind of worker and each way to the database, and says what the daemon made of it
  load      sends an exact number of requests with planted faults, and counts that the daemon saw each of them
  identity  holds the daemon's identity of each request against the certificate sent, over many servers and kinds of sessions
  accuracy  holds links, sets of candidates and verdicts against the truth, over many servers, drivers, pools and loads
  cost      measures servers that do next to nothing for a request with and without the daemon, in rounds
  life      plays certificates that end, are revoked, come late, do not verify or change while their connections live
  access    plays how applications come to rows that are not their client's: by keys, pooled sessions, schemas, databases, hierarchies
  sql       lets many client libraries of PostgreSQL and MySQL send labelled statements, and counts what the daemon saw and knew of them
  bench     measures the service with and without the daemon, in pairs
  seed      makes the lab's database and keeps it in a directory, for --seed

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string, out io.Writer) error {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	flags := pflag.NewFlagSet("lab "+name, pflag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(out, usage, "flags of ", name, ":\n", flags.FlagUsages()) }
	cfg := lab.Config{Out: out}
	flags.StringVar(&cfg.Daemon, "daemon", "", "executable of tenantrace (required)")
	flags.BoolVar(&cfg.Keep, "keep", false, "leave the lab's files behind (certificates with keys, recording, logs)")
	flags.StringVar(&cfg.Work, "work", "", "directory in which the lab makes its own (default: the system's for temporary files)")
	flags.StringVar(&cfg.Seed, "seed", "", "directory made by the command seed, whose database is used (default: a new one is made)")
	var selection lab.Selection
	var seed string
	load := lab.LoadConfig{}
	bench := lab.BenchConfig{}
	identity := matrix.Config{}
	cost := matrix.CostConfig{}
	lives := life.Config{}
	exact := accuracy.Config{}
	reads := access.Config{}
	statements := sqlmatrix.Config{}
	switch name {
	case "identity":
		flags.BoolVar(&identity.Quick, "quick", false, "only a part of the servers, with few requests")
		flags.IntVar(&identity.Requests, "requests", 0, fmt.Sprintf("requests of each row (default %d, with --quick %d)", matrix.DefaultRequests, matrix.QuickRequests))
		flags.StringSliceVar(&identity.Servers, "servers", nil, `names of the servers, as "node 20" (default: all)`)
	case "accuracy":
		flags.StringArrayVar(&exact.Cells, "cells", nil, `parts of the names of the cells to play, as "Node" (repeatable; default: all)`)
		flags.StringVar(&exact.JSON, "json", "", "file that takes the results")
		flags.BoolVar(&exact.Quick, "quick", false, "only a few cells, with few requests")
		flags.Uint64Var(&exact.Random, "random", accuracy.DefaultRandom, "seed that decides what is sent")
		flags.StringSliceVar(&exact.Scenes, "scenes", nil, "ids of the scenes to play, as E13 (default: all)")
		flags.StringVar(&exact.Small, "small", "", "executable of another daemon, whose ring buffer is small")
		flags.IntVar(&exact.Statements, "statements", 0, fmt.Sprintf("statements of requests in each cell, at least (default %d, with --quick %d)", accuracy.DefaultStatements, accuracy.QuickStatements))
	case "cost":
		flags.IntVar(&cost.Connections, "connections", matrix.DefaultCostConnections, "connections")
		flags.StringVar(&cost.Other, "other", "", "executable of another daemon to compare with")
		flags.StringVar(&cost.OtherName, "other-name", "other", "what the tables call it")
		flags.IntVar(&cost.Requests, "requests", matrix.DefaultCostRequests, "requests in each measurement")
		flags.IntVar(&cost.Rounds, "rounds", matrix.DefaultRounds, "rounds, each with one measurement without and one with each daemon")
		flags.StringSliceVar(&cost.Servers, "servers", nil, `names of the servers, as "node 20" (default: four unlike ones)`)
	case "life":
		flags.StringSliceVar(&lives.Servers, "servers", nil, "names of the servers to play at, as nginx (default: all)")
		flags.StringSliceVar(&lives.Scenarios, "scenarios", nil, "ids of the scenarios to play, as E24 (default: all)")
	case "access":
		flags.StringSliceVar(&reads.Scenarios, "scenarios", nil, "ids of the scenarios to play, as E18 (default: all)")
	case "sql":
		flags.BoolVar(&statements.Quick, "quick", false, "only a part of the drivers, each over one transport")
		flags.StringSliceVar(&statements.Drivers, "drivers", nil, "names of the drivers, as psycopg2 (default: all)")
		flags.StringSliceVar(&statements.Transports, "transports", nil, "tcp, unix, tls (default: all)")
	case "run":
		flags.StringSliceVar(&selection.Servers, "servers", nil, "names of the servers to play at, as gthread-tls (default: all)")
		flags.StringSliceVar(&selection.Scenarios, "scenarios", nil, "ids of the scenarios to play, as E10 (default: all)")
	case "seed":
		flags.StringVar(&seed, "out", "", "directory to make (required)")
	case "load":
		flags.IntVar(&load.Connections, "connections", lab.DefaultConnections, "connections, which the tenants share out among themselves")
		flags.IntVar(&load.Requests, "requests", lab.DefaultRequests, "requests to send")
	case "bench":
		flags.IntVar(&bench.Connections, "connections", lab.DefaultBenchConnections, "connections")
		flags.IntVar(&bench.Pairs, "pairs", lab.DefaultPairs, "pairs of measurements, one without and one with the daemon")
		flags.IntVar(&bench.Rate, "rate", lab.DefaultRate, "requests per second of the second, paced measurement")
		flags.IntVar(&bench.Requests, "requests", lab.DefaultBenchRequests, "requests in each measurement")
	case "", "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return nil
	default:
		return fmt.Errorf("unknown command %q [one of run, load, identity, life, access, sql, accuracy, cost, bench, seed]", name)
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if name == "seed" {
		if seed == "" {
			return errors.New("flag --out is missing [--out DIR names the directory to make]")
		}
		return lab.Seed(ctx, cfg, seed)
	}
	if cfg.Daemon == "" {
		return errors.New("flag --daemon is missing [--daemon PATH names the executable of tenantrace]")
	}
	if _, err := os.Stat(cfg.Daemon); err != nil {
		return fmt.Errorf("look at the daemon: %w [build it first]", err)
	}
	load.Config, bench.Config = cfg, cfg
	identity.Daemon, identity.Work, identity.Keep, identity.Out = cfg.Daemon, cfg.Work, cfg.Keep, cfg.Out
	cost.Daemon, cost.Work, cost.Out = cfg.Daemon, cfg.Work, cfg.Out
	lives.Daemon, lives.Work, lives.Keep, lives.Seed, lives.Out = cfg.Daemon, cfg.Work, cfg.Keep, cfg.Seed, cfg.Out
	exact.Daemon, exact.Work, exact.Keep, exact.Seed, exact.Out = cfg.Daemon, cfg.Work, cfg.Keep, cfg.Seed, cfg.Out
	reads.Daemon, reads.Work, reads.Keep, reads.Out = cfg.Daemon, cfg.Work, cfg.Keep, cfg.Out
	statements.Daemon, statements.Work, statements.Keep, statements.Out = cfg.Daemon, cfg.Work, cfg.Keep, cfg.Out
	switch name {
	case "access":
		return access.Run(ctx, reads)
	case "sql":
		return sqlmatrix.Run(ctx, statements)
	case "identity":
		return matrix.Run(ctx, identity)
	case "accuracy":
		return accuracy.Run(ctx, exact)
	case "life":
		return life.Run(ctx, lives)
	case "cost":
		if cost.Connections < 1 || cost.Rounds < 1 {
			return errors.New("--connections and --rounds must be at least 1")
		}
		return matrix.Cost(ctx, cost)
	case "load":
		if load.Connections < 1 || load.Requests < 1 {
			return errors.New("--connections and --requests must be at least 1")
		}
		return lab.Load(ctx, load)
	case "bench":
		if bench.Connections < 1 || bench.Requests < 1 || bench.Pairs < 1 || bench.Rate < 1 {
			return errors.New("--connections, --requests and --pairs must be at least 1")
		}
		return lab.Bench(ctx, bench)
	}
	return lab.Run(ctx, cfg, selection)
}

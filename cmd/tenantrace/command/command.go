// Package command is the command line of tenantrace: its subcommands, their flags, help texts and exit codes.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"tenantrace/cmd/tenantrace/daemon"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // the command failed; standard error says why, in one message
	exitUsage = 2 // the command line is wrong
)

// Program is what the command line is bound to.
type Program struct {
	Version   string
	Stdout    io.Writer
	Stderr    io.Writer
	NewEngine daemon.NewEngine
	NewTracer func(Targets) daemon.NewTracer
	Check     func(context.Context) Report
}

// Targets limit what is traced; empty, everything is.
type Targets struct {
	PIDs []int    // these processes
	Exes []string // processes of these executables, by absolute path
}

// subcommand is one command of the program.
type subcommand struct {
	name    string // as typed: "policy check"
	args    string // its operands
	summary string // one line
	text    string // of its help, after the summary
	flags   func(*pflag.FlagSet)
	run     func(ctx context.Context, operands []string) error
}

// usageError is a wrong command line.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// Main runs the command line (without the program's name) and gives the exit code.
func (p *Program) Main(ctx context.Context, args []string) int {
	commands := p.commands()
	if len(args) == 0 {
		fmt.Fprint(p.Stderr, overview(commands))
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "--help":
		return p.help(commands, args[1:])
	case "--version":
		args[0] = "version"
	}
	c, rest := find(commands, args)
	if c == nil {
		return p.fail("", usageError{fmt.Sprintf("unknown command %q [see `tenantrace help`]", args[0])})
	}
	set := c.flagSet()
	if err := set.Parse(rest); errors.Is(err, pflag.ErrHelp) {
		return p.print(c.help())
	} else if err != nil {
		return p.fail(c.name, usageError{fmt.Sprintf("%v [see `tenantrace %s --help`]", err, c.name)})
	}
	return p.fail(c.name, c.run(ctx, set.Args()))
}

// fail says err, if it is one, and gives its exit code.
func (p *Program) fail(command string, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(p.Stderr, "tenantrace%s: %v\n", strings.TrimRight(" "+command, " "), err)
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitError
}

// print writes text to standard output; an output that does not take it fails the command.
func (p *Program) print(text string) int {
	if _, err := io.WriteString(p.Stdout, text); err != nil {
		return p.fail("", fmt.Errorf("write standard output: %w", err))
	}
	return exitOK
}

// find gives the command that args begin with, and what follows its name.
func find(commands []subcommand, args []string) (c *subcommand, rest []string) {
	for i := range commands {
		words := strings.Fields(commands[i].name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == commands[i].name {
			return &commands[i], args[len(words):]
		}
	}
	return nil, nil
}

func (c *subcommand) flagSet() *pflag.FlagSet {
	set := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	if c.flags != nil {
		c.flags(set)
	}
	return set
}

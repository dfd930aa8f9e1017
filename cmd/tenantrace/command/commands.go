package command

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/pflag"

	"tenantrace/cmd/tenantrace/daemon"
)

// commands are the subcommands, each bound to flags of its own.
func (p *Program) commands() []subcommand {
	return []subcommand{p.run(), p.check(), p.replay(), p.policyCheck(), p.policyExplain(), p.policyPseudonym(), p.version()}
}

func (p *Program) run() subcommand {
	var cfg runConfig
	return subcommand{
		name: "run", summary: "trace this host until it is told to stop", flags: cfg.flags,
		text: `Needs root, or the capabilities that ` + "`tenantrace check`" + ` lists. Findings go to standard output, the log to standard error.
SIGHUP reads the policy again (a broken one keeps the old one) and reopens the findings and verdicts files.
SIGTERM and SIGINT stop in order: what was observed is judged, what was judged is written.`,
		run: func(ctx context.Context, operands []string) error {
			if err := noOperands(operands); err != nil {
				return err
			}
			if err := cfg.validate(); err != nil {
				return err
			}
			hangup := make(chan os.Signal, 1)
			signal.Notify(hangup, syscall.SIGHUP)
			defer signal.Stop(hangup)
			d := p.judge(&cfg.judgeConfig)
			d.Listen, d.Record, d.Hangup, d.NewTracer = cfg.listen, cfg.record, hangup, p.NewTracer(cfg.targets)
			return daemon.Run(ctx, d)
		},
	}
}

func (p *Program) replay() subcommand {
	var cfg judgeConfig
	return subcommand{
		name: "replay", args: "FILE", summary: "judge a recording again", flags: cfg.flags,
		text: `FILE is what ` + "`tenantrace run --record FILE`" + ` wrote. With the same policy it gives the same findings and verdicts as that run did; with
another policy, what that one would have found. Needs no privileges.`,
		run: func(ctx context.Context, operands []string) error {
			file, err := oneOperand(operands, "recording")
			if err != nil {
				return err
			}
			if err := cfg.validate(); err != nil {
				return err
			}
			return daemon.Replay(ctx, file, p.judge(&cfg))
		},
	}
}

// judge gives the parts of the daemon's configuration that run and replay share.
func (p *Program) judge(cfg *judgeConfig) daemon.Config {
	return daemon.Config{
		Policy: cfg.policy, Findings: cfg.findings, Verdicts: cfg.verdicts,
		Version: p.Version, Stdout: p.Stdout, Log: cfg.log.logger(p.Stderr), NewEngine: p.NewEngine,
	}
}

func (p *Program) version() subcommand {
	return subcommand{
		name: "version", summary: "print the version",
		run: func(_ context.Context, operands []string) error {
			if err := noOperands(operands); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.Stdout, "tenantrace %s (%s, %s/%s)\n", p.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return wrote(err)
		},
	}
}

func noOperands(operands []string) error {
	if len(operands) > 0 {
		return usageError{fmt.Sprintf("unexpected operand %q [it takes flags only]", operands[0])}
	}
	return nil
}

func oneOperand(operands []string, what string) (string, error) {
	if len(operands) != 1 {
		return "", usageError{fmt.Sprintf("%d operands [name one %s file]", len(operands), what)}
	}
	return operands[0], nil
}

// wrote names standard output in an error of writing to it.
func wrote(err error) error {
	if err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

// printing collects text for standard output and keeps the first error.
type printing struct {
	w   io.Writer
	err error
}

func (o *printing) line(format string, args ...any) {
	if o.err == nil {
		_, o.err = fmt.Fprintf(o.w, format+"\n", args...)
	}
}

func addPolicyFlag(set *pflag.FlagSet, path *string) {
	set.StringVar(path, "policy", defaultPolicy, "read the policy from FILE (default the embedded one)")
	metavars(set, "FILE", "policy")
}

package command

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"tenantrace/cmd/tenantrace/sink"
)

// Defaults of the flags.
const (
	defaultFindings  = sink.Stdout
	defaultListen    = "127.0.0.1:9778"
	defaultLogFormat = "text"
	defaultLogLevel  = "info"
	defaultPolicy    = "" // the embedded one
	defaultRecord    = "" // off
	defaultVerdicts  = "" // off
)

// judgeConfig are the flags that run and replay share.
type judgeConfig struct {
	findings string
	policy   string
	verdicts string
	log      logConfig
}

func (c *judgeConfig) flags(set *pflag.FlagSet) {
	set.StringVar(&c.findings, "findings", defaultFindings, `append findings to FILE, one OCSF Detection Finding per line; "-" is standard output`)
	set.StringVar(&c.policy, "policy", defaultPolicy, "read the policy from FILE (default the embedded one)")
	set.StringVar(&c.verdicts, "verdicts", defaultVerdicts, `append one line per statement to FILE; "-" is standard output (default off)`)
	c.log.flags(set)
	metavars(set, "FILE", "findings", "policy", "verdicts")
}

func (c *judgeConfig) validate() error {
	if c.findings == "" {
		return usageError{`--findings is empty [name a file, or "-" for standard output]`}
	}
	if c.verdicts != "" && c.verdicts != sink.Stdout && samePath(c.verdicts, c.findings) {
		return usageError{fmt.Sprintf("--verdicts and --findings are the same file %q [name two]", c.verdicts)}
	}
	return c.log.validate()
}

// runConfig are the flags of run.
type runConfig struct {
	judgeConfig
	listen  string
	record  string
	targets Targets
}

func (c *runConfig) flags(set *pflag.FlagSet) {
	c.judgeConfig.flags(set)
	set.StringArrayVar(&c.targets.Exes, "exe", nil, "trace only processes of the executable PATH (repeatable; default all)")
	set.StringVar(&c.listen, "listen", defaultListen, "serve /metrics, /healthz, /readyz and /api/v1/status on ADDR")
	set.IntSliceVar(&c.targets.PIDs, "pid", nil, "trace only the process N (repeatable; default all)")
	set.StringVar(&c.record, "record", defaultRecord, "write the event stream to FILE for replay, replacing what it held; it holds plain text (default off)")
	metavars(set, "FILE", "record")
	metavars(set, "PATH", "exe")
	metavars(set, "N", "pid")
	metavars(set, "ADDR", "listen")
}

func (c *runConfig) validate() error {
	if err := c.judgeConfig.validate(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.listen); err != nil {
		return usageError{fmt.Sprintf("--listen %q: %v [write HOST:PORT, as %s]", c.listen, err, defaultListen)}
	}
	for _, pid := range c.targets.PIDs {
		if pid <= 0 {
			return usageError{fmt.Sprintf("--pid %d is no process id [write a positive number]", pid)}
		}
	}
	for _, exe := range c.targets.Exes {
		if !filepath.IsAbs(exe) {
			return usageError{fmt.Sprintf("--exe %q is no absolute path [write it from the root, as /usr/bin/python3.11]", exe)}
		}
	}
	if c.record == sink.Stdout {
		return usageError{"--record - is not possible [name a file]"}
	}
	for flag, path := range map[string]string{"--findings": c.findings, "--verdicts": c.verdicts} {
		if c.record != "" && path != "" && samePath(c.record, path) {
			return usageError{fmt.Sprintf("--record and %s are the same file %q [name two]", flag, path)}
		}
	}
	return nil
}

// logConfig are the flags of the log.
type logConfig struct {
	format string
	level  string
}

func (c *logConfig) flags(set *pflag.FlagSet) {
	set.StringVar(&c.format, "log-format", defaultLogFormat, "write the log in FORMAT, text or json")
	set.StringVar(&c.level, "log-level", defaultLogLevel, "log from LEVEL on: debug, info, warn or error")
	metavars(set, "FORMAT", "log-format")
	metavars(set, "LEVEL", "log-level")
}

func (c *logConfig) validate() error {
	if c.format != "text" && c.format != "json" {
		return usageError{fmt.Sprintf("--log-format %q is unknown [text or json]", c.format)}
	}
	switch c.level {
	case "debug", "info", "warn", "error":
		return nil
	}
	return usageError{fmt.Sprintf("--log-level %q is unknown [debug, info, warn or error]", c.level)}
}

// logger gives the log, once validated.
func (c *logConfig) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.level)); err != nil {
		level = slog.LevelInfo // validate lets no other through
	}
	options := &slog.HandlerOptions{Level: level}
	if c.format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func samePath(a, b string) bool {
	return filepath.Clean(a) == filepath.Clean(b)
}

// metavars names the values of flags in the help text, which pflag takes from a word in back quotes.
func metavars(set *pflag.FlagSet, word string, flags ...string) {
	for _, name := range flags {
		f := set.Lookup(name)
		f.Usage = strings.Replace(f.Usage, word, "`"+word+"`", 1)
	}
}

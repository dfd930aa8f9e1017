package command

import (
	"fmt"
	"strings"
)

func (p *Program) help(commands []subcommand, args []string) int {
	if len(args) == 0 {
		return p.print(overview(commands))
	}
	if c, rest := find(commands, args); c != nil && len(rest) == 0 {
		return p.print(c.help())
	}
	return p.fail("help", usageError{fmt.Sprintf("unknown command %q [see `tenantrace help`]", strings.Join(args, " "))})
}

// overview lists the commands.
func overview(commands []subcommand) string {
	var b strings.Builder
	b.WriteString(`tenantrace ties the client certificate of each mutual-TLS connection, the HTTP requests on it and the SQL that is sent for them, and flags
each request whose database tenant differs from its certificate's tenant. The traced applications are not changed or restarted.

Usage: tenantrace COMMAND [flags]

Commands:
`)
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-16s %s\n", c.name, c.summary)
	}
	b.WriteString("\n`tenantrace COMMAND --help` tells more about one.\n")
	return b.String()
}

func (c *subcommand) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tenantrace %s: %s\n\nUsage: tenantrace %s", c.name, c.summary, c.name)
	set := c.flagSet()
	if set.HasFlags() {
		b.WriteString(" [flags]")
	}
	if c.args != "" {
		b.WriteString(" " + c.args)
	}
	b.WriteString("\n")
	if c.text != "" {
		b.WriteString("\n" + c.text + "\n")
	}
	if set.HasFlags() {
		b.WriteString("\nFlags:\n" + set.FlagUsages())
	}
	return b.String()
}

package matrix

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// clients are the clients of a server: one process of Python, whose TLS library can renegotiate, authenticate after the handshake, and offer a session
// of somebody else.
type clients struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	log     *os.File
}

// job is what the clients are to do; files/client.py describes it.
type job struct {
	Name         string       `json:"name"` // begins each request's id
	Port         int          `json:"port"`
	Path         string       `json:"path"`
	TLS          string       `json:"tls"`
	Mode         string       `json:"mode"`
	Of           string       `json:"of,omitempty"` // in mode kept: the job that kept them
	CA           string       `json:"ca"`
	Certificates []clientFile `json:"certificates"`
	Spread       []int        `json:"spread"` // whose certificates are used; -1 is none
	Shuffle      bool         `json:"shuffle,omitempty"`
	Tickets      bool         `json:"tickets"`
	Pipeline     bool         `json:"pipeline,omitempty"`
	Close        bool         `json:"close,omitempty"`
	Keep         bool         `json:"keep,omitempty"`
	Cut          bool         `json:"cut,omitempty"` // records go out in two pieces
	Clients      int          `json:"clients"`
	Requests     int          `json:"requests"`
	Per          int          `json:"per"`             // requests on a connection
	Until        string       `json:"until,omitempty"` // before this file is there, requests are sent and do not count
}

type clientFile struct {
	Cert string `json:"cert"`
	Key  string `json:"key"`
}

// sent is a request that was answered.
type sent struct {
	id         string
	who        int   // whose identity the server must have: index of a certificate, -1 none
	resumed    bool  // its connection began with a resumed session
	begin, end int64 // nanoseconds since the Unix epoch
	status     int
	from       string // the client's own address
}

// client names the client that sent it.
func (s *sent) client() string { return s.id[:strings.LastIndexByte(s.id, '.')] }

// UnmarshalJSON reads the list that the clients write.
func (s *sent) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&s.id, &s.who, &s.resumed, &s.begin, &s.end, &s.status, &s.from})
}

// played is a job's outcome.
type played struct {
	Sent        []sent   `json:"sent"`
	Errors      []string `json:"errors"`
	Connections int      `json:"connections"`
}

// startClients starts the clients.
func startClients(dir string) (*clients, error) {
	text, err := files.ReadFile("files/client.py")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "client.py")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return nil, fmt.Errorf("write the clients: %w", err)
	}
	c := &clients{command: exec.Command(interpreter, path)}
	if c.log, err = os.Create(filepath.Join(dir, "client.log")); err != nil {
		return nil, fmt.Errorf("open the clients' log: %w", err)
	}
	c.command.Stderr = c.log
	c.command.Env = environment("PYTHONDONTWRITEBYTECODE=1")
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // they end with their standard input
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("start the clients: %w", err)
	}
	return c, nil
}

// play plays a job to its end.
func (c *clients) play(j job) (*played, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	if _, err := c.in.Write(append(text, '\n')); err != nil {
		return nil, fmt.Errorf("tell the clients: %w", err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("hear from the clients (their log is %q): %w", c.log.Name(), err)
	}
	p := &played{}
	if err := json.Unmarshal(line, p); err != nil {
		return nil, fmt.Errorf("read what the clients say: %w", err)
	}
	return p, nil
}

// stop ends the clients.
func (c *clients) stop() error {
	c.in.Close()
	return errors.Join(c.command.Wait(), c.log.Close())
}

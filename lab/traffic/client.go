// Package traffic sends the lab's requests: HTTP/1.1 over mutual TLS on connections that are kept alive, each request labelled.
package traffic

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timeout bounds a request with its connection set-up.
const timeout = 60 * time.Second

// Client is one connection's worth of requests: it keeps its connection while the server does, and never sends a request twice. It is
// for one goroutine at a time.
type Client struct {
	Addr        string
	Roots       *x509.CertPool
	Certificate *tls.Certificate  // nil: presents none
	Tune        func(*tls.Config) // changes the settings of its connections; nil: none are changed
	HalfClose   bool              // says behind what it sends that nothing more comes: close_notify (RFC 8446, section 6.1)
	connection  *tls.Conn
	reader      *bufio.Reader
	local       string
}

// Request is a labelled request.
type Request struct {
	ID     string // X-Request-ID; "" sends none
	Method string
	Target string // path and query
	Header map[string]string
	Body   string
}

// Response is what came back.
type Response struct {
	Status     int
	Body       []byte
	Statements int // as the service counted them: X-Statement-Count; 0 if it did not say
	PID        int // of the worker: X-Worker-Pid; 0 if it did not say
	Took       time.Duration
	Reused     bool // the connection had carried an earlier request
}

// Do sends a request and reads its whole response.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	all, err := c.Pipeline(ctx, r)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// Pipeline sends requests at once, in one TLS record where they fit into one, and reads their responses.
func (c *Client) Pipeline(ctx context.Context, requests ...Request) ([]*Response, error) {
	start := time.Now()
	reused := c.connection != nil
	if !reused {
		if err := c.dial(ctx); err != nil {
			return nil, fmt.Errorf("connect for request %q: %w", requests[0].ID, err)
		}
	}
	connection := c.connection
	stop := context.AfterFunc(ctx, func() { connection.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	var text []byte
	for _, r := range requests {
		text = append(text, r.bytes(c.Addr)...)
	}
	all := make([]*Response, len(requests))
	err := c.send(ctx, text)
	for i, r := range requests {
		if err == nil {
			all[i], err = c.receive(ctx, r.Method)
		}
		if err != nil {
			c.Close()
			return nil, fmt.Errorf("request %q: %w", r.ID, err)
		}
		all[i].Took, all[i].Reused = time.Since(start), reused || i > 0
	}
	return all, nil
}

// Resumed tells whether the connection began with a resumed session.
func (c *Client) Resumed() bool {
	return c.connection != nil && c.connection.ConnectionState().DidResume
}

// Local is the address of this end of the connection, or of the last one; "" before the first.
func (c *Client) Local() string { return c.local }

// Close closes the connection; the next request makes a new one.
func (c *Client) Close() {
	if c.connection != nil {
		c.connection.Close()
		c.connection, c.reader = nil, nil
	}
}

func (c *Client) dial(ctx context.Context) error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return err
	}
	config := &tls.Config{RootCAs: c.Roots, ServerName: host, NextProtos: []string{"http/1.1"}}
	if c.Certificate != nil {
		// Presented even if no authority that the server names has issued it.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.Certificate, nil }
	}
	if c.Tune != nil {
		c.Tune(config)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dialer := tls.Dialer{Config: config}
	connection, err := dialer.DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return err
	}
	c.connection, c.local = connection.(*tls.Conn), connection.LocalAddr().String()
	c.reader = bufio.NewReader(c.connection)
	return nil
}

func (c *Client) send(ctx context.Context, text []byte) error {
	if err := c.connection.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if _, err := c.connection.Write(text); err != nil || !c.HalfClose {
		return err
	}
	return c.connection.CloseWrite()
}

func (c *Client) receive(ctx context.Context, method string) (*Response, error) {
	if c.connection == nil {
		return nil, errors.New("the server closed the connection before")
	}
	answer, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	response := &Response{Status: answer.StatusCode, Body: body}
	if response.Statements, err = number(answer.Header, "X-Statement-Count"); err != nil {
		return nil, err
	}
	if response.PID, err = number(answer.Header, "X-Worker-Pid"); err != nil {
		return nil, err
	}
	if answer.Close || c.HalfClose {
		c.Close()
	}
	return response, nil
}

func (r Request) bytes(host string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.Target, host)
	if r.ID != "" {
		fmt.Fprintf(&b, "X-Request-ID: %s\r\n", r.ID)
	}
	for name, value := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if r.Body != "" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(r.Body))
	}
	b.WriteString("\r\n" + r.Body)
	return b.Bytes()
}

func number(header http.Header, name string) (int, error) {
	text := strings.TrimSpace(header.Get(name))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("header %s: %w", name, err)
	}
	return n, nil
}

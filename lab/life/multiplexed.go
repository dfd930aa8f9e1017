package life

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"tenantrace/lab/tracer"
)

// streams are under way at once.
const streams = 50

// multiplexed is the scenario of HTTP/2: the connection's identity is known, its requests are not read, and nobody is accused.
func multiplexed(at site) []take {
	w := want{unread: 1, connections: map[string]int{acme: 1}}
	if at.work != pages {
		w.verdicts = map[string]int{"unattributed/unobserved -": streams + 1} // the server is older than the daemon: its requests may be open unseen
	}
	return []take{{"E49", "HTTP/2, 50 streams on one connection", "", multiplex, w}}
}

func multiplex(ctx context.Context, s *stand) error {
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: s.stage.CA.Roots, Certificates: []tls.Certificate{s.people[acme].TLS}},
		ForceAttemptHTTP2: true,
		MaxConnsPerHost:   1,
	}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: time.Minute}
	get := func(i int) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.addr(second)+"/t/acme/x", nil)
		if err != nil {
			return nil, err
		}
		request.Header.Set("X-Request-ID", fmt.Sprintf("%s.stream%d", s.calls.prefix, i))
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.ProtoMajor != 2 || response.StatusCode != 200 {
			return nil, fmt.Errorf("%s answers %s", response.Proto, response.Status)
		}
		return io.ReadAll(response.Body)
	}
	first, err := get(0)
	if err != nil {
		return err
	}
	if err := s.calls.page("stream0", first, acme); err != nil {
		return err
	}
	type answer struct {
		body []byte
		err  error
	}
	answers := make(chan answer, streams)
	for i := range streams {
		go func() {
			body, err := get(i + 1)
			answers <- answer{body, err}
		}()
	}
	for range streams {
		a := <-answers
		if err = errors.Join(err, a.err); a.err == nil {
			err = errors.Join(err, s.calls.page("stream", a.body, acme))
		}
	}
	if err != nil {
		return err
	}
	ok, err := s.daemon.Await(ctx, settle, func(metrics string) bool {
		return tracer.Sum(metrics, `tenantrace_unread_connections_total{reason="http2",`) == 1
	})
	if err == nil && !ok {
		s.calls.problems = append(s.calls.problems, "the connection is not counted as one of HTTP/2 that is not read")
	}
	return err
}

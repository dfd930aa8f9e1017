package correlate

import "tenantrace/collector/event"

// tlsState is the label "state" of tls_connections.
type tlsState string

const (
	tlsVerified   tlsState = "verified"
	tlsUnverified tlsState = "unverified"
	tlsNoCert     tlsState = "no_cert"
	tlsUnknown    tlsState = "unknown"
)

var tlsStates = [...]tlsState{tlsVerified, tlsUnverified, tlsNoCert, tlsUnknown}

// countTLS counts a connection in tls_connections, if its traced process is the server of it.
func (e *Engine) countTLS(c *connection) {
	if c.counted != "" || !c.tls || c.role != event.RoleServer {
		return
	}
	c.counted = tlsUnknown
	if p := c.peer; p != nil && p.seen.Error == "" {
		switch {
		case p.seen.Verified():
			c.counted = tlsVerified
		case p.seen.Certificate != nil:
			c.counted = tlsUnverified
		case p.seen.Source == "ssl":
			c.counted = tlsNoCert
		}
	}
	c.service = e.service(c.proc)
	e.metrics.tls(c.service, c.counted, 1)
}

func (e *Engine) uncountTLS(c *connection) {
	if c.counted != "" {
		e.metrics.tls(c.service, c.counted, -1)
		c.counted = ""
	}
	if c.peer != nil && c.peer.expired {
		c.peer.expired = false
		e.metrics.expired(c.service, -1)
	}
}

// countExpired brings connections_expired_certificate up to date.
func (e *Engine) countExpired() {
	for _, c := range e.conns.All() {
		p := c.peer
		if p != nil && !p.expired && p.seen.Verified() && c.counted != "" && e.now > p.seen.Certificate.NotAfter {
			p.expired = true
			e.metrics.expired(c.service, 1)
		}
	}
}

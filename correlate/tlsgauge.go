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
	e.metrics.tls(c.service, c.counted, c.resumed(), 1)
	e.countRevoked(c, true)
}

// resumed tells whether the connection is known to have resumed a session.
func (c *connection) resumed() bool { return c.peer != nil && c.peer.seen.Resumed }

// countRevoked brings connections_revoked_certificate up to date; there: the connection is open.
func (e *Engine) countRevoked(c *connection, there bool) {
	if p := c.peer; p != nil {
		there = there && c.counted != "" && p.revoked != nil && p.sure()
		if there != p.listed {
			p.listed = there
			e.metrics.revoked(c.service, map[bool]float64{true: 1, false: -1}[there])
		}
	}
}

func (e *Engine) uncountTLS(c *connection) {
	if c.counted != "" {
		e.metrics.tls(c.service, c.counted, c.resumed(), -1)
		c.counted = ""
	}
	e.countRevoked(c, false)
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

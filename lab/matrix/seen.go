package matrix

import (
	"encoding/json"
	"fmt"

	"tenantrace/lab/audit"
)

// seen is what recordings tell of requests: who the daemon took the client for.
type seen struct {
	requests map[string]*request // by X-Request-ID
	lost     uint64              // events
}

// request is a request as the daemon saw it.
type request struct {
	times      int       // it was seen
	atRequest  *identity // in force on its connection when it was read; nil none was told
	remote     string    // address of its connection's other end when it was read; "" not known
	atResponse *identity // in force when its response began; nil none, or no response was seen
	between    int       // identities that were told on its connection from one to the other
}

// identity is a peer as the daemon saw it.
type identity struct {
	Role        string `json:"role"`
	Certificate *struct {
		SHA256 string `json:"sha256"`
	} `json:"certificate"`
	VerifyResult int64  `json:"verify_result"`
	VerifyMode   int    `json:"verify_mode"`
	Resumed      bool   `json:"resumed"`
	Source       string `json:"source"`
	Error        string `json:"error"`
}

// verified tells what the README promises of a verified certificate: a server asked for it, now or as it made the session, and the library found it good.
func (i *identity) verified() bool {
	return i.Role == "server" && i.Certificate != nil && i.VerifyResult == 0 && (i.VerifyMode&1 != 0 || i.Resumed)
}

// line is a line of a recording, as far as it is looked at.
type line struct {
	Format  string          `json:"format"`
	Version int             `json:"v"`
	Kind    string          `json:"k"`
	Event   json.RawMessage `json:"e"`
}

// read adds a recording to what was seen. Connections of two recordings have nothing to do with each other.
func (s *seen) read(path string) error {
	if s.requests == nil {
		s.requests = make(map[string]*request)
	}
	inForce := make(map[uint64]*identity)
	told := make(map[uint64]int) // identities of a connection
	remotes := make(map[uint64]string)
	open := make(map[[2]uint64]*request) // by connection and number
	first := true
	return audit.EachLine(path, func(text []byte) error {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return err
		}
		if first {
			if first = false; l.Format != "tenantrace-recording" || l.Version != 1 {
				return fmt.Errorf("format %q version %d is not the one that the lab reads", l.Format, l.Version)
			}
			return nil
		}
		var e struct {
			identity
			Conn   uint64 `json:"conn"`
			Seq    uint64 `json:"seq"`
			ID     string `json:"id"`
			Count  uint64 `json:"count"`
			Remote string `json:"remote"`
		}
		switch l.Kind {
		case "connection_opened", "identity", "http_request", "http_response", "lost", "connection_closed":
			if err := json.Unmarshal(l.Event, &e); err != nil {
				return err
			}
		}
		switch l.Kind {
		case "connection_opened": // again when the socket becomes known
			remotes[e.Conn] = e.Remote
		case "identity":
			inForce[e.Conn] = &e.identity
			told[e.Conn]++
		case "connection_closed":
			delete(inForce, e.Conn)
			delete(told, e.Conn)
			delete(remotes, e.Conn)
		case "http_request":
			r := s.requests[e.ID]
			if r == nil {
				r = &request{}
				s.requests[e.ID] = r
			}
			r.times++
			r.atRequest, r.between, r.remote = inForce[e.Conn], told[e.Conn], remotes[e.Conn]
			open[[2]uint64{e.Conn, e.Seq}] = r
		case "http_response":
			if r := open[[2]uint64{e.Conn, e.Seq}]; r != nil {
				r.atResponse, r.between = inForce[e.Conn], told[e.Conn]-r.between
				delete(open, [2]uint64{e.Conn, e.Seq})
			}
		case "lost":
			s.lost += e.Count
		}
		return nil
	})
}

// databaseLine looks at a line of a database server's recording: it counts the verified certificates by the version of TLS, and tells of what must not be.
func databaseLine(text []byte, told map[string]map[string]int) (problem string, err error) {
	var l struct {
		Kind  string `json:"k"`
		Event struct {
			identity
			Version string `json:"version"`
			Reason  string `json:"reason"`
			Count   uint64 `json:"count"`
		} `json:"e"`
	}
	if err := json.Unmarshal(text, &l); err != nil {
		return "", err
	}
	e := &l.Event
	switch l.Kind {
	case "http_request":
		return "a request was seen: " + string(text), nil
	case "lost":
		return fmt.Sprintf("%d events were lost: %s", e.Count, e.Reason), nil
	case "identity":
		if !e.verified() {
			return "an identity that is not verified: " + string(text), nil
		}
		if told[e.Version] == nil {
			told[e.Version] = make(map[string]int)
		}
		told[e.Version][e.Certificate.SHA256]++
	}
	return "", nil
}

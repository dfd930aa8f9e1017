package pgwire

import (
	"encoding/binary"
	"strings"

	"tenantrace/collector/event"
)

// Codes in the place of a protocol version (src/include/libpq/pqcomm.h).
const (
	cancelCode = 1234<<16 | 5678
	sslCode    = 1234<<16 | 5679
	gssCode    = 1234<<16 | 5680
)

// maxStartup is the longest start-up packet that the server takes (MAX_STARTUP_PACKET_LENGTH).
const maxStartup = 10000

// tlsHandshake is the first byte of a TLS record that carries a ClientHello.
const tlsHandshake = 0x16

// startup reads the client's untyped messages until StartupMessage, and returns what of the call's data follows it.
func (s *Session) startup(h event.Header, data []byte, gap int) (rest []byte, restGap int) {
	st := &s.front
	for s.phase == starting {
		if !st.open {
			if len(data) > 0 && st.have == 0 && data[0] == tlsHandshake {
				s.encrypt()
				return nil, 0
			}
			// The length alone has the place of type and length: four bytes, read behind a type of 0.
			if st.have == 0 {
				st.have = 1
			}
			var complete bool
			if data, complete = st.header(data); !complete {
				if st.have == 1 {
					st.have = 0
				}
				if gap > 0 {
					s.lose(h, FromClient)
				}
				return nil, 0
			}
			if size := messageSize(st.head[:]); size < 8 || size > maxStartup {
				s.lose(h, FromClient)
				return nil, 0
			}
			st.begin(maxStartup)
		}
		body, rest, complete := st.take(data)
		data = rest
		if !complete && gap > 0 {
			if gap > st.left {
				s.lose(h, FromClient)
				return nil, 0
			}
			body, complete = st.skip(gap)
			gap = 0
		}
		if !complete {
			return nil, 0
		}
		s.startupMessage(h, body, st.cut)
		st.end()
	}
	return data, gap
}

// startupMessage acts on an untyped message without its length.
func (s *Session) startupMessage(h event.Header, body []byte, cut bool) {
	c := cursor{b: body}
	code := c.uint32()
	switch {
	case c.bad:
		s.lose(h, FromClient)
	case code == cancelCode:
		s.phase = over
	case code == sslCode:
		s.asked = 'S'
	case code == gssCode:
		s.asked = 'G'
	case code>>16 == 3:
		s.asked = 0
		s.session(h, &c, cut)
	default:
		s.lose(h, FromClient)
	}
}

// session begins the session that a StartupMessage asks for.
func (s *Session) session(h event.Header, c *cursor, cut bool) {
	started := &event.SessionStarted{Unknown: cut, Settings: make(map[string]string)}
	var options string
	for len(c.b) > 0 && c.b[0] != 0 {
		name := string(c.text())
		value := string(c.text())
		if c.bad {
			started.Unknown = true
			break
		}
		switch name {
		case "database":
			started.Database = value
		case "user":
			started.User = value
		case "options":
			options = value
		default:
			started.Settings[strings.ToLower(name)] = value
		}
	}
	if started.Database == "" && !started.Unknown {
		started.Database = started.User
	}
	parseOptions(options, started.Settings)
	if started.Database != "" {
		s.tables = s.cfg.Catalog.database(started.Database)
	}
	s.start(h, started)
	s.phase = running
	s.expect(h, pending{kind: expectStartup})
}

// parseOptions reads command-line options of the server as it does: words are separated by blanks, a backslash takes the next
// character as it is (pg_split_opts), and -c name=value and --name=value set parameters, with - for _ in names (ParseLongOption).
func parseOptions(options string, settings map[string]string) {
	words := splitOptions(options)
	for i := 0; i < len(words); i++ {
		var setting string
		switch word := words[i]; {
		case word == "-c" && i+1 < len(words):
			i++
			setting = words[i]
		case strings.HasPrefix(word, "--"):
			setting = word[2:]
		case strings.HasPrefix(word, "-c"):
			setting = word[2:]
		}
		if name, value, ok := strings.Cut(setting, "="); ok {
			settings[strings.ToLower(strings.ReplaceAll(name, "-", "_"))] = value
		}
	}
}

func splitOptions(options string) (words []string) {
	var word strings.Builder
	in := false
	for i := 0; i < len(options); i++ {
		switch c := options[i]; {
		case c == ' ' || '\t' <= c && c <= '\r':
			if in {
				words = append(words, word.String())
				word.Reset()
				in = false
			}
			continue
		case c == '\\' && i+1 < len(options):
			i++
		}
		word.WriteByte(options[i])
		in = true
	}
	if in {
		words = append(words, word.String())
	}
	return words
}

// encrypt ends the session: TLS or GSSAPI follows.
func (s *Session) encrypt() {
	s.encrypted, s.phase, s.asked = true, over, 0
	s.front, s.back = stream{}, stream{}
}

// encryptionAnswer reads the server's one-byte answer to an encryption request.
func (s *Session) encryptionAnswer(h event.Header, data []byte, gap int) (rest []byte, restGap int) {
	if len(data) == 0 {
		// Not captured. What the client does next tells: a TLS record, or a start-up packet.
		if gap > 0 {
			s.asked = 0
			gap--
		}
		return nil, gap
	}
	asked := s.asked
	s.asked = 0
	switch b := data[0]; {
	case b == asked:
		s.encrypt()
		return nil, 0
	case b == 'N':
		return data[1:], gap
	case b == 'E': // a server that knows no such request answers with ErrorResponse
		return data, gap
	}
	s.lose(h, FromServer)
	return nil, 0
}

// isStartup tells whether b begins with an untyped message's length and code.
func isStartup(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	size, code := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	switch {
	case code == sslCode || code == gssCode:
		return size == 8
	case code == cancelCode:
		return size >= 16 && size <= 8+4+256
	}
	return code>>16 == 3 && size > 8 && size <= maxStartup
}

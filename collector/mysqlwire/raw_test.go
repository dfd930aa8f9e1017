package mysqlwire

import (
	"crypto/sha1"
	"net"
	"strings"
	"testing"
	"time"

	"tenantrace/collector/event"
)

// Capabilities that only a client of the test's own asks for.
const (
	capLocalFiles      capabilities = 1 << 7
	capTransactions    capabilities = 1 << 13
	capMultiStatements capabilities = 1 << 16
	capMultiResults    capabilities = 1 << 17
	capPSMultiResults  capabilities = 1 << 18

	capMariaProgress capabilities = 1 << 32
	capMariaBulk     capabilities = 1 << 34
	capMariaExtended capabilities = 1 << 35
	capMariaCache    capabilities = 1 << 36
	capMariaUnits    capabilities = 1 << 37
)

// rawClient speaks the protocol by hand, and shows its bytes to a session.
type rawClient struct {
	t      *testing.T
	conn   net.Conn
	s      *Session
	events []event.Event
	calls  []call
}

// dialRaw logs in. Only capabilities that the server has are asked for.
func dialRaw(t *testing.T, socket string, caps capabilities) *rawClient {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c := &rawClient{t: t, conn: conn}
	c.s = New(testConfig(), 1, func(e event.Event) { c.events = append(c.events, e) })
	for c.s.phase == starting {
		c.read()
	}
	if missing := caps &^ c.s.greeting.caps &^ capLongPassword; missing != 0 {
		t.Fatalf("the server has not got %#x of %#x", uint64(missing), uint64(c.s.greeting.caps))
	}
	greeting := c.calls[0].data
	rest := greeting[headerSize+1+strings.IndexByte(greeting[headerSize+1:], 0)+1:]
	salt := rest[4:12] + rest[31:43]
	c.write(packet(1, le(uint64(caps), 4)+le(1<<24, 4)+"\x2d"+strings.Repeat("\x00", 19)+le(uint64(caps>>32), 4)+"app\x00"+lenenc(scramble("secret", salt))+"shop\x00mysql_native_password\x00"))
	c.answer()
	return c
}

// scramble answers the challenge of mysql_native_password.
func scramble(password, salt string) string {
	one := sha1.Sum([]byte(password))
	two := sha1.Sum(one[:])
	mask := sha1.Sum([]byte(salt + string(two[:])))
	for i := range mask {
		mask[i] ^= one[i]
	}
	return string(mask[:])
}

func (c *rawClient) write(data string) {
	c.t.Helper()
	c.calls = append(c.calls, client(data))
	c.s.Frontend(event.Header{Time: int64(len(c.calls))}, []byte(data), 0)
	if _, err := c.conn.Write([]byte(data)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawClient) read() {
	c.t.Helper()
	buf := make([]byte, 64<<10)
	n, err := c.conn.Read(buf)
	if err != nil {
		c.t.Fatalf("%v after\n%s", err, strings.Join(lines(c.events), "\n"))
	}
	c.calls = append(c.calls, server(string(buf[:n])))
	c.s.Backend(event.Header{Time: int64(len(c.calls))}, buf[:n], 0)
}

// answer reads until the session has seen the answers to all that was asked.
func (c *rawClient) answer() {
	c.t.Helper()
	for c.s.phase == running && c.s.commands.n > 0 && !c.s.infile {
		c.read()
	}
}

// do writes commands at once and reads the answers.
func (c *rawClient) do(commands ...string) {
	c.t.Helper()
	all := ""
	for _, command := range commands {
		all += packet(0, command)
	}
	c.write(all)
	c.answer()
}

// end says goodbye and gives what was seen, without the settings that the server reports by itself.
func (c *rawClient) end() []string {
	c.t.Helper()
	c.write(packet(0, "\x01"))
	checkLast(c.t, c.events)
	var out []string
	for _, l := range lines(c.events) {
		if !strings.HasPrefix(l, "setting ") {
			out = append(out, l)
		}
	}
	return out
}

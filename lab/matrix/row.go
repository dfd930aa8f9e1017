package matrix

// Row is a line of the matrix: one server, one version of TLS, one way for the identity to come to be.
type Row struct {
	TLS     string // "1.2" or "1.3"
	Session string // how sessions come to be, as the table says it
	Note    string // printed behind the row: what is special about it

	port       string // purpose of the server's port
	path       string
	mode       string // of the client's job
	noTickets  bool   // the client offers none
	never      bool   // in mode resume: the server is known to resume nothing
	per        int    // requests on a connection; 0 many
	shuffle    bool   // each connection takes any of the certificates
	people     people
	refused    bool // a stranger's requests are answered with an error
	atResponse bool // the certificate comes while the request is handled: what counts is the identity when its response begins
	size       int  // times of the usual number of requests
	clients    int  // at once; 0 the usual number
	cut        bool // records come in pieces
}

// earlier names the job that opened a row's connections before there was a daemon.
func (r *Row) earlier() string { return "early-" + r.TLS + "-" + r.port }

// people are those whose certificates a row uses.
type people int

const (
	tenants   people = iota // each verified
	anybody                 // tenants, strangers who signed their certificates themselves, and clients without any
	strangers               // tenants and strangers
)

// The sessions of rows that are not the servers' own.
const (
	older     = "older than the daemon"
	restarted = "daemon restarted"
)

// Requests on a connection: enough that most go over a kept one, few enough that there are many handshakes.
const usualPer = 25

// full are the rows of full handshakes.
func full(port string) []Row {
	return both(Row{Session: "full", port: port, mode: "full", per: usualPer})
}

// resumed are rows in which every second connection resumes, and offers somebody else's certificate with it.
func resumed(session, port string) []Row {
	return both(Row{Session: session, port: port, mode: "resume", per: 5})
}

// sessionID is the row of TLS 1.2 without tickets.
func sessionID(session, port string) Row {
	return Row{TLS: "1.2", Session: session, port: port, mode: "resume", per: 5, noTickets: true}
}

// crowded are the rows of many connections on the one thread of a server, whose clients' records come in pieces.
func crowded(port string) []Row {
	return both(Row{Session: "64 on a thread, records cut", port: port, mode: "full", clients: 64, cut: true})
}

func both(r Row) []Row {
	older, newer := r, r
	older.TLS, newer.TLS = "1.2", "1.3"
	return []Row{older, newer}
}

func rows(lists ...[]Row) []Row {
	var all []Row
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

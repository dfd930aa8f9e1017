package event

// Engine is a database protocol.
type Engine string

// The engines.
const (
	PostgreSQL Engine = "postgresql"
	MySQL      Engine = "mysql"
)

// SessionStarted is a database session as its client asked for it, or as it was found (Unknown). A further one on the same connection begins anew: nothing
// of the earlier session is left (MySQL: COM_CHANGE_USER, COM_RESET_CONNECTION).
type SessionStarted struct {
	Header
	Conn     ConnID `json:"conn"`
	Engine   Engine `json:"engine"`
	Database string `json:"database,omitempty"`
	User     string `json:"user,omitempty"`
	// Settings are the startup packet's other parameters and its "options" (-c name=value), names in lower case.
	Settings map[string]string `json:"settings,omitempty"`
	Unknown  bool              `json:"unknown,omitempty"` // its beginning was not seen: session state is not known
}

// SessionSetting is a ParameterStatus message of the server; of MySQL a system variable that its session tracking reports.
type SessionSetting struct {
	Header
	Conn  ConnID `json:"conn"`
	Name  string `json:"name"` // lower case
	Value string `json:"value"`
}

// SessionDatabase is another default database of a MySQL session: COM_INIT_DB, or as the server's session tracking reports it (USE).
type SessionDatabase struct {
	Header
	Conn     ConnID `json:"conn"`
	Database string `json:"database"`
}

// SessionUnreadable says that from now on the bytes of a database connection cannot be read, so that its statements are not seen on it.
type SessionUnreadable struct {
	Header
	Conn   ConnID           `json:"conn"`
	Reason UnreadableReason `json:"reason"`
}

// UnreadableReason says why a session cannot be read.
type UnreadableReason string

// The reasons.
const (
	UnreadableTLS         UnreadableReason = "tls"         // what goes over the socket is encrypted; if its library is followed, its TLS connection shows the session
	UnreadableCompressed  UnreadableReason = "compressed"  // client and server agreed to compress
	UnreadableOld         UnreadableReason = "old"         // a version of the protocol from before MySQL 4.1
	UnreadableReplication UnreadableReason = "replication" // the server sends its log
)

// UnreadableReasons are all of them.
var UnreadableReasons = [...]UnreadableReason{UnreadableTLS, UnreadableCompressed, UnreadableOld, UnreadableReplication}

// TxStatus is the transaction indicator of ReadyForQuery: 'I' idle, 'T' in a transaction block, 'E' in a failed one; "" unknown.
type TxStatus string

// The transaction states.
const (
	TxUnknown TxStatus = ""
	TxIdle    TxStatus = "I"
	TxOpen    TxStatus = "T"
	TxFailed  TxStatus = "E"
)

// Statement is SQL on its way to the server: a simple Query message (whose text may hold several statements) or one Execute. TID is the thread
// that wrote it; the order of a thread's events is the order of its system calls.
type Statement struct {
	Header
	Conn    ConnID  `json:"conn"`
	Seq     uint64  `json:"seq"` // 1, 2, … on its connection
	Simple  bool    `json:"simple,omitempty"`
	Text    string  `json:"text"`
	Cut     bool    `json:"cut,omitempty"`     // Text is only the beginning of what was sent
	NoText  bool    `json:"no_text,omitempty"` // an Execute of a statement prepared before it was traced: text not known
	Params  []Param `json:"params,omitempty"`  // of Bind, $1 first
	Portal  string  `json:"portal,omitempty"`  // name of the portal; "" the unnamed one
	Resumed bool    `json:"resumed,omitempty"` // a further Execute of a suspended portal: it was judged by its first
	Task    *Task   `json:"task,omitempty"`    // for what the code worked that wrote it; nil where no tasks are followed
	// Sets are the distinct parameter sets of a MariaDB bulk execution, at most MaxRows of them; Params has then what is the same in all.
	Sets    [][]Param `json:"sets,omitempty"`
	SetsCut bool      `json:"sets_cut,omitempty"` // some sets were not captured, or MaxRows was passed
}

// Param is a bind value.
type Param struct {
	OID   uint32 `json:"oid,omitempty"` // type as declared in Parse or ParameterDescription; 0 unspecified
	Null  bool   `json:"null,omitempty"`
	Known bool   `json:"known"`           // Value is what was sent, as text
	Value string `json:"value,omitempty"` // text form: text, varchar, int2/4/8, uuid (canonical lower case), bool, at most 256 bytes; arrays of them, at most 4 KiB
}

// Result is the server's answer to one statement: the Index-th of a simple Query's text (0, 1, …), or an Execute's (Index 0). Last says that
// nothing more comes for the Statement with this Seq.
type Result struct {
	Header
	Conn    ConnID   `json:"conn"`
	Seq     uint64   `json:"seq"`
	Index   int      `json:"index"`
	Last    bool     `json:"last,omitempty"`
	None    bool     `json:"none,omitempty"`    // no result at this Index: only closes the Statement (Last is set)
	Skipped bool     `json:"skipped,omitempty"` // the server discarded the Execute after an earlier error: it did not run
	Empty   bool     `json:"empty,omitempty"`   // EmptyQueryResponse
	Unseen  bool     `json:"unseen,omitempty"`  // the answer was not seen (connection closed, desynchronised)
	Tag     string   `json:"tag,omitempty"`     // of CommandComplete, e.g. "SELECT 3", "INSERT 0 1"; of MySQL's OK "OK" and the affected rows
	Error   string   `json:"error,omitempty"`   // SQLSTATE of ErrorResponse
	Suspend bool     `json:"suspend,omitempty"` // PortalSuspended
	Columns []Column `json:"columns,omitempty"` // the kept ones: those whose name, or whose (table, attribute) pair, is known as wanted
	// Rows are the distinct tuples over Columns, at most MaxRows of them; a nil element is NULL. If a statement has several result sets (CALL), Columns are
	// those of all, and a row is nil where its set has no such column.
	Rows    [][]*string `json:"rows,omitempty"`
	Count   uint64      `json:"count,omitempty"`    // DataRow messages seen
	RowsCut bool        `json:"rows_cut,omitempty"` // some rows or values were not captured, or MaxRows was passed
	// Copy tells that the rows are those of COPY data; Count is 0. Columns are then known by the statement's text, and not by table and attribute.
	Copy CopyDirection `json:"copy,omitempty"`
}

// CopyDirection is the way that COPY data goes.
type CopyDirection string

// The directions.
const (
	CopyIn    CopyDirection = "in"    // of a table, to the server
	CopyOut   CopyDirection = "out"   // of a table, from it
	CopyQuery CopyDirection = "query" // of a query's result, from the server: columns have only their names
)

// MaxRows is the most distinct tuples that a Result keeps.
const MaxRows = 64

// Column is a result column, RowDescription's terms.
type Column struct {
	Name  string `json:"name"`            // as the result names it
	Table uint32 `json:"table,omitempty"` // OID of the table that it comes from, or 0; of MySQL a hash of Database and OrgTable if Owner is OrgName
	Attr  int16  `json:"attr,omitempty"`  // attribute number in that table, or 0
	Owner string `json:"owner,omitempty"` // the wanted column name that (Table, Attr) or Name stands for
	// MySQL says where a column comes from by name, whatever the aliases: a table or a view. All are "" for a column that is computed, or that may come
	// through a derived table or a common table expression of the text.
	Database string `json:"database,omitempty"`
	OrgTable string `json:"org_table,omitempty"`
	OrgName  string `json:"org_name,omitempty"`
}

// SessionReady is ReadyForQuery.
type SessionReady struct {
	Header
	Conn   ConnID   `json:"conn"`
	Status TxStatus `json:"status"`
}

// SessionDesync says that the framing of a database connection was lost: what was in flight is unseen, and session state is unknown until the
// connection ends.
type SessionDesync struct {
	Header
	Conn ConnID `json:"conn"`
}

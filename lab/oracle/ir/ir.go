// Package ir holds what a statement says in terms that two grammars share, and computes from it, by the rules that tenantsql documents, which tenants it
// guarantees, writes and sets. It is a second reading: it starts from the tree of a real grammar and shares no code with tenantsql.
package ir

// Op is the sort of an expression.
type Op uint8

// The sorts. Computed is what operators make of operands, which tenantsql does not read at all; Call any other expression without a value that the
// text shows.
const (
	Call Op = iota
	Computed
	And
	Or
	Not
	Equal // of Args[0] and Args[1]
	In    // Args[0] in the others, or in Sub
	Any   // Args[0] = ANY (Args[1]), or (Sub)
	Row
	Column // Names
	Literal
	Integer // Text, as tenantsql gives it; also a Literal
	Param
	Setting
	Null
	Default
	Subquery
	True
	False
	Array
	Unnest // Args are arrays
	OwnRow // the new row's own value, of ON DUPLICATE KEY UPDATE: VALUES(c)
)

// Expr is an expression.
type Expr struct {
	Op    Op
	Args  []*Expr
	Names []string
	Text  string
	Index int
	Sub   *Query
	Over  bool // a window function is in it
}

// Item is an entry of a select list.
type Item struct {
	Expr *Expr
	Name string
	Star string // "*" or the table of t.*
}

// JoinKind is the sort of a join.
type JoinKind uint8

// The joins.
const (
	Inner JoinKind = iota
	Left
	Right
	Full
)

// From is an entry of a FROM list: a table, a sub-select, a function or a join.
type From struct {
	Table   *Table
	Sub     *Query
	Lateral bool
	Func    *Expr
	Alias   string
	Columns []string

	Join        bool
	Kind        JoinKind
	Left, Right *From
	On          *Expr
	Using       []string
}

// Table names a table.
type Table struct{ Schema, Name string }

// CTE is a query with a name.
type CTE struct {
	Name      string
	Columns   []string
	Statement *Statement
}

// Query is a query: arms of set operations, or rows.
type Query struct {
	With      []CTE
	Recursive bool
	Arms      []*Select
	Extra     []*Expr // ORDER BY, LIMIT of the whole
}

// Select is one arm: a SELECT, rows, or a query in brackets.
type Select struct {
	Items  []Item
	From   []*From
	Where  *Expr
	Rows   [][]*Expr
	Nested *Query
	Extra  []*Expr // GROUP BY, HAVING, windows and so on
}

// Assign is column = expression.
type Assign struct {
	Names []string
	Expr  *Expr
}

// Kind is the sort of a statement.
type Kind uint8

// The kinds.
const (
	Other Kind = iota
	SelectKind
	InsertKind
	UpdateKind
	DeleteKind
	MergeKind
)

// Statement is a statement that reads or changes rows.
type Statement struct {
	Kind      Kind
	Query     *Query // of a SELECT
	With      []CTE
	Recursive bool

	Target  *From    // the table that is changed; of MySQL's UPDATE and DELETE nil: From and Targets tell
	Targets []string // names of the items whose rows are deleted
	Columns []string
	Source  *Query // rows or query of an INSERT
	Set     []Assign
	From    []*From
	Where   *Expr

	Conflict      bool     // ON CONFLICT DO UPDATE, ON DUPLICATE KEY UPDATE
	ConflictOn    []string // the columns
	ConflictSet   []Assign
	ConflictWhere *Expr
	Replace       bool

	Actions []Action // of MERGE; Where is its ON
	Extra   []*Expr
}

// Action is a WHEN of a MERGE.
type Action struct {
	BySource bool
	Kind     Kind // Other: DO NOTHING
	Columns  []string
	Row      []*Expr
	Set      []Assign
	When     *Expr
}

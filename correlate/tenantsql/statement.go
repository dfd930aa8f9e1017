// Package tenantsql reads SQL text for one purpose: which tables does a statement touch, and which tenant does it guarantee, write or
// switch to. It is a tokenizer and a skimmer, no grammar: cut text, foreign syntax and hostile bytes give less evidence, never wrong evidence,
// and never a panic.
package tenantsql

// Config names what is a tenant. Names are compared without case.
type Config struct {
	Columns  []string // tenant columns, unqualified: "tenant_id"; of a JSON document the column and the keys to the tenant: "data#org#tenant_id"
	Settings []string // tenant settings (GUCs): "app.tenant_id"
}

// Kind is the sort of a statement.
type Kind uint8

// The kinds. Other is a statement that is none of them (DDL, utility).
const (
	Empty Kind = iota
	Select
	Insert
	Update
	Delete
	Merge
	Copy
	Begin
	Commit
	Rollback
	Savepoint
	RollbackTo
	Release
	Set
	Reset
	Discard
	Prepare
	Execute
	Deallocate
	Declare
	Fetch
	Explain
	Show
	Use // MySQL
	Other
)

// Statement is what a statement's text says.
type Statement struct {
	Kind      Kind
	Write     bool            // changes rows of a relation (also through a data-modifying CTE)
	Relations []Relation      // base relations, each occurrence once; names of CTEs are not among them
	Changes   []SettingChange // SET, RESET, set_config(), DISCARD, @v := x, INTO @v: in order; only those that SettingChange.Name tells of
	Name      string          // of the savepoint, prepared statement, cursor, database
	Args      []Value         // of EXECUTE
	Body      string          // of PREPARE (text after AS), DECLARE CURSOR (after FOR), EXPLAIN: the inner statement's text
	Analyze   bool            // EXPLAIN ANALYZE: the inner statement runs
	Cut       bool            // the text was cut: what was found is partial, and absence proves nothing
	Into      bool            // PostgreSQL: SELECT … INTO makes a table
	Calls     bool            // calls a function that is not known to leave the session's settings alone
	Unparsed  bool            // a cap of depth or tokens was passed, or code runs that is not seen (DO, CALL): nothing may be concluded from absence
	Asks      []Ask           // tables whose columns decide on the reading, at most MaxAsks; see AnalyzeKnowing
	Whole     int             // number, from 1, of the relation whose columns the result has, all of them and no other; 0: not so
	Shape     string          // the text with each literal as "?", comments removed, spaces folded; at most 2,000 bytes
}

// Relation is one occurrence of a table in a statement.
type Relation struct {
	Schema, Name string // as PostgreSQL folds them: lower case unless quoted; Schema "" if not written
	Alias        string
	Target       bool // rows of it are inserted, updated or deleted
	// Values are the tenants that the statement guarantees for every row touched: the WHERE and ON predicates' for rows read, changed or
	// deleted; the assigned ones for rows inserted (all rows of VALUES). Empty: not scoped, as far as this text says.
	Values []Value
	// Assigned are values that INSERT or UPDATE SET writes into a tenant column.
	Assigned []Value
	// Every is set where Values is a single Unknown because several conjuncts bind the column, to values that the text cannot compare
	// (tenant_id = $1 AND tenant_id = $2): each touched row has one of each of these sets.
	Every     [][]Value
	Ownership Ownership // of the columns that all this is said of
	Owns      uint32    // tenant columns that it has, if the server takes the statement: 1 << i for Analyzer.Names()[i]
	// Heuristic tells that a tenant predicate stands where it guarantees nothing (in an OR arm, under NOT, in a function): no evidence, but a sign.
	Heuristic bool
	// Untouched tells that no row of it can be read or changed: the condition is false as written (WHERE 1 = 0). Values and Assigned are empty.
	Untouched bool

	spelled Table // MySQL: as written
}

// ValueKind is where a value comes from.
type ValueKind uint8

// The kinds of value.
const (
	Literal  ValueKind = iota // Text is the unquoted literal
	Param                     // Index is the parameter's number, 1-based
	Setting                   // current_setting('x'): Text is the setting's name
	Null                      // NULL
	Default                   // DEFAULT
	Subquery                  // a sub-query's result: not a value that the text shows
	Unknown                   // an expression
)

// Value is a value in SQL text. For a Param inside = ANY($1) Array is set: the parameter is an array.
type Value struct {
	Kind  ValueKind
	Text  string
	Index int
	Array bool
}

// SettingChange is a change of session state.
type SettingChange struct {
	Name  string // lower case; "role", "search_path", "sql_mode", "@name" of MySQL, or a tenant setting; "*" for RESET ALL and DISCARD ALL
	Value Value  // of Kind Default: back to the session's default
	Local bool   // SET LOCAL, or set_config(…, true): until the transaction ends
}

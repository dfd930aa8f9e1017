package correlate

// The ways of policy's database.pooler and database.unscoped that matter here.
const (
	poolerTransaction = "transaction" // what a session was told may reach another session of the server after each transaction
	unscopedAggregate = "aggregate"   // look-ups without a tenant are one finding for each route and shape
	unscopedFinding   = "finding"     // and for each certificate's tenant
)

// sessionRules is what policy says of the sessions of a database.
type sessionRules struct{ pooler, unscoped string }

// pooler says what stands between the application and the database.
func (e *Engine) pooler(*session) string { return e.sessions.pooler }

// unscoped says what look-ups without a tenant are.
func (e *Engine) unscoped(*session) string { return e.sessions.unscoped }

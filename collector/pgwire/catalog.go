package pgwire

// Limits of a Catalog. Past them nothing more is learned.
const (
	maxDatabases  = 64
	maxAttributes = 4096 // of each database
	maxNames      = 2048
)

// Catalog holds what the row descriptions of one server taught: which attribute of which table is a wanted column, so that
// a column is recognised under an alias. It is shared by the sessions of that server and is for use from one goroutine.
type Catalog struct {
	databases map[string]*tables
	names     map[string]string // column names, so that each is copied once
}

// NewCatalog returns an empty Catalog.
func NewCatalog() *Catalog {
	return &Catalog{databases: make(map[string]*tables), names: make(map[string]string)}
}

// database gives what is known of a database: table OIDs mean nothing outside of theirs.
func (c *Catalog) database(name string) *tables {
	t := c.databases[name]
	if t == nil {
		t = &tables{}
		if len(c.databases) < maxDatabases {
			c.databases[name] = t
		}
	}
	return t
}

// name gives b as a string.
func (c *Catalog) name(b []byte) string {
	if name, ok := c.names[string(b)]; ok {
		return name
	}
	name := string(b)
	if len(c.names) < maxNames && len(name) <= maxName {
		c.names[name] = name
	}
	return name
}

// attribute names a column of a table: pg_attribute's attrelid and attnum.
type attribute struct {
	table uint32
	attr  int16
}

// owner says which attribute of a table bears a wanted name.
type owner struct {
	table uint32
	name  string
}

// tables is what is known of one database's tables.
type tables struct {
	names map[attribute]string
	attrs map[owner]int16 // 0: several attributes were seen under the name, so that all but one were aliases

	looks     map[attribute]uint8  // descriptions in which an attribute was looked at that is called otherwise
	relations map[string]*relation // by the name that statements use
	lessons   map[uint32]uint8     // descriptions that were looked at for relations, by table
}

// news tells whether learn would change anything.
func (t *tables) news(a attribute, name string) bool {
	attr, seen := t.attrs[owner{a.table, name}]
	return !seen || attr != a.attr && attr != 0
}

// is tells whether a is known to be the one attribute of that name.
func (t *tables) is(a attribute, name string) bool { return t.attrs[owner{a.table, name}] == a.attr }

// learn notes that a is called name.
func (t *tables) learn(a attribute, name string) {
	if t.names == nil {
		t.names = make(map[attribute]string)
		t.attrs = make(map[owner]int16)
	}
	o := owner{a.table, name}
	attr, seen := t.attrs[o]
	switch {
	case !seen && len(t.attrs) < maxAttributes:
		t.attrs[o] = a.attr
		if _, ok := t.names[a]; !ok {
			t.names[a] = name
		}
	case seen && attr != a.attr && attr != 0:
		// A table has one column of a name: one of the two was another column's alias.
		t.attrs[o] = 0
		delete(t.names, attribute{a.table, attr})
	}
}

// owner gives the wanted column that a is known to be, "" if none.
func (t *tables) owner(a attribute) string { return t.names[a] }

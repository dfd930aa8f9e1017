package mysqlwire

// capabilities are the flags of the login: MySQL's in the lower half, MariaDB's own in the upper.
type capabilities uint64

const (
	capLongPassword    capabilities = 1 << 0 // not set: MariaDB, whose own flags are valid
	capConnectWithDB   capabilities = 1 << 3
	capCompress        capabilities = 1 << 5
	capProtocol41      capabilities = 1 << 9
	capSSL             capabilities = 1 << 11
	capSecure          capabilities = 1 << 15 // the length of the answer to the challenge is in one byte
	capPluginAuth      capabilities = 1 << 19
	capAuthLenenc      capabilities = 1 << 21
	capSessionTrack    capabilities = 1 << 23
	capDeprecateEOF    capabilities = 1 << 24
	capZstd            capabilities = 1 << 26
	capQueryAttributes capabilities = 1 << 27
)

// status are the server's flags in OK and EOF.
type status uint16

const (
	statusInTransaction status = 1 << 0
	statusMoreResults   status = 1 << 3
	statusCursor        status = 1 << 6
	statusLastRow       status = 1 << 7
	statusNoBackslash   status = 1 << 9
	statusStateChanged  status = 1 << 14
)

// Commands of a client: the first byte of its message.
const (
	comQuit           = 0x01
	comInitDB         = 0x02
	comQuery          = 0x03
	comFieldList      = 0x04
	comCreateDB       = 0x05
	comDropDB         = 0x06
	comRefresh        = 0x07
	comShutdown       = 0x08
	comStatistics     = 0x09
	comProcessInfo    = 0x0a
	comProcessKill    = 0x0c
	comDebug          = 0x0d
	comPing           = 0x0e
	comChangeUser     = 0x11
	comBinlogDump     = 0x12
	comRegister       = 0x15
	comPrepare        = 0x16
	comExecute        = 0x17
	comLongData       = 0x18
	comClose          = 0x19
	comReset          = 0x1a
	comSetOption      = 0x1b
	comFetch          = 0x1c
	comBinlogDumpGTID = 0x1e
	comResetSession   = 0x1f
	comBulkExecute    = 0xfa
)

// commandPlausible tells whether a command can have this many bytes, its own included.
func commandPlausible(command byte, size int) bool {
	switch command {
	case comQuit, comStatistics, comProcessInfo, comDebug, comPing, comResetSession:
		return size == 1
	case comShutdown:
		return size <= 2
	case comInitDB, comCreateDB, comDropDB: // a name
		return size <= 1+4*maxName
	case comFieldList, comChangeUser, comRegister:
		return size >= 2
	case comRefresh:
		return size == 2
	case comSetOption:
		return size == 3
	case comProcessKill, comClose, comReset:
		return size == 5
	case comFetch:
		return size == 9
	case comLongData:
		return size >= 7
	case comExecute:
		return size >= 10
	case comBulkExecute:
		return size >= 7
	case comQuery, comPrepare:
		return size >= 1
	case comBinlogDump, comBinlogDumpGTID:
		return size >= 11
	}
	return false
}

// The first bytes of a server's messages.
const (
	headOK     = 0x00
	headInfile = 0xfb
	headEOF    = 0xfe // and OK at the end of rows, and a request for another authentication
	headError  = 0xff
)

// eofSize is the size of EOF as it was before OK took its place; OK is longer.
const eofSize = 5
